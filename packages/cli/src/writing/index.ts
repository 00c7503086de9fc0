export { makeFolder } from './make-folder.ts'
export { checkFile, openFile, openFolder, type OptionName } from './open.ts'
