// Works on the toy study's queue until it is killed: `toy-worker.ts URL NAME MILLISECONDS LOCK`, a job taking so long.

import { workOnStudy } from '../queue.ts'
import { toyScores } from './toy-study.ts'

const [url = '', name = '', milliseconds = '0', lock = '30'] = process.argv.slice(2)
await workOnStudy({
  url, name, lock: Number(lock),
  score: async (job) => {
    await new Promise((resolve) => { setTimeout(resolve, Number(milliseconds)) })
    return toyScores(job)
  },
  onJob: (id) => { process.stdout.write(`${id}\n`) },
})
