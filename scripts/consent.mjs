// Whether a person is asked before anything is installed, and what they say.

import { createInterface } from 'node:readline'

/**
 * Whether to ask: where a person sits at a terminal, and the environment has not answered for them with CI or ANTIPODE_SETUP=yes.
 * @throws {RangeError} if ANTIPODE_SETUP says anything else
 */
export function asks({ stdin, stderr, env }) {
  const { CI: ci = '', ANTIPODE_SETUP: answer = '' } = env
  if (!['', 'yes'].includes(answer)) throw new RangeError(`expected ANTIPODE_SETUP to be yes, or not to be set, got '${answer}'.`)
  if (answer === 'yes' || !['', '0', 'false'].includes(ci)) return false
  return stdin.isTTY === true && stderr.isTTY === true
}

/** Asks until it is answered. Enter is yes, and the end of the input is no: nobody has agreed then. */
export async function agrees(question, { input, output }) {
  output.write(question)
  // The terminal edits lines itself, and turns Ctrl-C into its signal.
  for await (const line of createInterface({ input, terminal: false })) {
    const answer = line.trim().toLowerCase()
    if (['', 'y', 'yes'].includes(answer)) return true
    if (['n', 'no'].includes(answer)) return false
    output.write('Enter for yes, n for no: ')
  }
  return false
}
