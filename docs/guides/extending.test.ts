import { join } from 'node:path'
import { writeFiles } from './programs.ts'

// The cases of the guide, run as they stand there.
for (const file of writeFiles('extending', join(import.meta.dirname, '../dist/extending'))) {
  if (file.endsWith('.cases.ts')) await import(file)
}
