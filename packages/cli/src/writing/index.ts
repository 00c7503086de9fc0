export { checkFile, openFile, openFolder, type OptionName } from './open.ts'
