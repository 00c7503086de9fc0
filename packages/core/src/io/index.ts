export { decodeFloat32, encodeFloat32 } from './convert.ts'
export { bytesStored, type SafetensorsDType } from './dtype.ts'
export { decodeElements, encodeElements } from './elements.ts'
export { encodeSafetensors, type SafetensorsEntry } from './encode-safetensors.ts'
export { type DirectoryHandle, type Folder, folderOf, type FolderSource, isFolder } from './folder.ts'
export { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.ts'
export { type SafetensorsInfo } from './header.ts'
export { locate, type SafetensorsSource } from './open-source.ts'
export { makeFolder } from './make-folder.ts'
export { checkFile, openFile, openFolder, type OptionName } from './open-for-writing.ts'
export { lockPath, type PathLock } from './path-lock.ts'
export { readOptions, readRanges, readSafetensors, type ReadSafetensorsOptions } from './read-safetensors.ts'
export { readTensors } from './read-tensors.ts'
export { type SafetensorsFile, type SafetensorsTensor } from './safetensors-file.ts'
export { type TensorFile, type TensorInfo } from './tensor-file.ts'
export { writeAtomically } from './write-atomically.ts'
export {
  writeSafetensors,
  type StreamedSafetensorsEntry,
  type WriteSafetensorsOptions,
} from './write-safetensors.ts'
