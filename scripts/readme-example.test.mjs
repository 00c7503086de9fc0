import { expect, test } from 'vitest'
import { firstExample } from './readme-example.mjs'

const fenced = (language, code) => `# Title\n\n\`\`\`${language}\n${code}\n\`\`\`\n`

test('takes the first block that imports one of our packages', () => {
  const readme = fenced('sh', 'npm i') + fenced('js', 'other()') + fenced('js', "import { a } from '@antipode/core'\na()")
  expect(firstExample(readme)).toBe("import { a } from '@antipode/core';\na();\n")
})

test('strips types and lowers declarations that Node 20 cannot parse', () => {
  const code = firstExample(fenced('ts', "import { d } from '@antipode/core'\nusing x: Disposable = d()"))
  expect(code).not.toContain('Disposable =')
  expect(code).not.toMatch(/^using /m)
})

test('finds nothing in a README without code of ours', () => {
  expect(firstExample(fenced('sh', 'npm run demo'))).toBeUndefined()
})
