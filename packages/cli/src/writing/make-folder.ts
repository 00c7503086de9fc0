import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it, one by one: Node's own recursion never ends where the system says that a folder whose
 * parent is there has none, as /proc does. What stands there already, folder or not, is left alone.
 * @throws the system's error
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // of the file system
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path).catch((second: NodeJS.ErrnoException) => { if (second.code !== 'EEXIST') throw second })
  }
}
