import { join } from 'node:path'
import { writeFiles } from './programs.ts'

// The cases of the guides, run as they stand there.
for (const guide of ['extending', 'objectives']) {
  for (const file of writeFiles(guide, join(import.meta.dirname, '../dist', guide))) {
    if (file.endsWith('.cases.ts')) await import(file)
  }
}
