import { errorCode, nodeModule } from './node.ts'

/**
 * Makes a folder and those above it, one by one: Node's own recursion never ends where the system says that a folder whose
 * parent is there has none, as /proc does. What stands there already, folder or not, is left alone.
 * @throws the system's error @throws {UnsupportedError} where there is no Node
 */
export async function makeFolder(path: string): Promise<void> {
  const { mkdir } = nodeModule('makeFolder', 'node:fs/promises')
  const { dirname } = nodeModule('makeFolder', 'node:path')
  try {
    await mkdir(path)
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path).catch((second: unknown) => { if (errorCode(second) !== 'EEXIST') throw second })
  }
}
