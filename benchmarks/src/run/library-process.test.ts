import { expect, test } from 'vitest'
import { LibraryProcess } from './library-process.ts'

test('a library that does not exist, and one that is silent for too long, are problems and leave no process', async () => {
  await expect(LibraryProcess.start('nobody', { patience: 20_000 })).rejects.toThrow('its process ended without a word')
  await expect(LibraryProcess.start('nobody', { patience: 1 })).rejects.toThrow('no answer within 0.001 s')
})
