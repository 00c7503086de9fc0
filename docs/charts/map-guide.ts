import {
  answer, caveats, choiceTable, findings, forests, marksInWords, pilot, question, rowTable, scatters, termsInWords, type SuiteResults, type Table,
  tallyTable, variantTable,
} from '@antipode/cli/map'
import { imageOf } from './tones.ts'

/** What is drawn of results: files by name, and the parts of the guide between its markers. */
export interface MapGuide {
  readonly images: Readonly<Record<string, string>>
  readonly sections: Readonly<Record<string, string>>
}

/** Charts, tables and sentences of docs/guides/map.md. */
export function mapGuideOf(results: SuiteResults): MapGuide {
  const charts = { forests: forests(results, 'reversed'), cosines: scatters(results, 'reversed'), plain: scatters(results, 'plain') }
  const shown = (list: typeof charts.forests): string => list.map(({ name, title }) => `![${title}](../images/map/${name}.svg)`).join('\n')
  const { recipe, adapter, version } = results
  return {
    images: Object.fromEntries(Object.values(charts).flat().map(({ name, chart }) => [`${name}.svg`, imageOf(chart)])),
    sections: {
      question: [question, termsInWords].join('\n\n'),
      answer: [answer(results), listed(findings(results))].join('\n\n'),
      tally: markdown(tallyTable(results)),
      forests: shown(charts.forests),
      cosines: [pilot, shown(charts.cosines), marksInWords].join('\n\n'),
      variants: markdown(variantTable(results)),
      plain: shown(charts.plain),
      rows: markdown(rowTable(results, ['reversed'])),
      choice: markdown(choiceTable(results)),
      caveats: listed(caveats(results)),
      run: `Antipode ${version}, seeds ${recipe.seeds.join(', ')}, on ${adapter}.`,
    },
  }
}

/** The guide with its parts put between its markers, and nothing where there is no part. */
export function filled(guide: string, sections: MapGuide['sections']): string {
  return guide.replaceAll(
    /(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)/gs,
    (_, begin: string, name: string, end: string) => begin + (name in sections ? `\n${sections[name]}\n\n` : '') + end,
  )
}

function listed(sentences: readonly string[]): string {
  return sentences.map((sentence) => `- ${sentence}`).join('\n')
}

function markdown({ head, words, rows }: Table): string {
  const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
  const lines = [head.map(escaped), head.map((_, i) => (i < words ? '---' : '--:')), ...rows.map((cells) => cells.map(({ text }) => escaped(text)))]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
