/** Style sheet of the report: one column of prose, wide figures, light and dark by the reader's setting. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1b1c1e; --muted: #6b6d73; --line: #dedbd3;
  --series0: #7a7d85; --series1: #0f7173; --series2: #c9801a; --series3: #b3365b;
  --series4: #4a5fb0; --series5: #6f8a2f; --series6: #8a5ba5;
  --better: #12805c; --worse: #b93a32; --digits: none;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131416; --card: #1b1d20; --ink: #e9e7e2; --muted: #9a9ba0; --line: #33353a;
    --series0: #9da1aa; --series1: #4cc2bd; --series2: #efae4d; --series3: #ef7c9b;
    --series4: #8fa3f0; --series5: #a9c75f; --series6: #c49be0;
    --better: #4fcf9f; --worse: #f0867c; --digits: invert(1) hue-rotate(180deg);
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.6 var(--serif); }
main { max-width: 1080px; margin: 0 auto; padding: 72px 28px 96px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 36px; margin-bottom: 12px; }
.kicker { font: 600 12px/1 var(--sans); letter-spacing: .12em; text-transform: uppercase; color: var(--series1); }
h1 { font: 600 38px/1.18 var(--serif); letter-spacing: -.012em; margin: 18px 0 20px; max-width: 25em; text-wrap: balance; }
h2 { font: 600 25px/1.25 var(--serif); margin: 64px 0 10px; letter-spacing: -.008em; }
h3 { font: 600 14px/1.4 var(--sans); margin: 26px 0 6px; }
p { max-width: 43em; margin: 10px 0; }
.byline, figcaption, .note { font: 13.5px/1.55 var(--sans); color: var(--muted); }
.note { max-width: 58em } .byline { max-width: none }
code { font: .88em var(--mono); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 16px; margin: 34px 0 30px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px 16px; }
.card .label { font: 600 13px/1.35 var(--sans); }
.card .value { font: 600 38px/1.15 var(--sans); letter-spacing: -.025em; margin: 10px 0 4px; font-variant-numeric: tabular-nums; }
.card .value small { font-size: 20px; font-weight: 500 }
.card .detail { font: 12.5px/1.5 var(--sans); color: var(--muted); font-variant-numeric: tabular-nums; }
.better { color: var(--better) } .worse { color: var(--worse) } .undecided { color: var(--muted) }
ul.findings { padding-left: 20px; max-width: 46em; margin: 10px 0 } ul.findings li { margin: 7px 0; }
figure { margin: 22px 0 8px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px 14px; }
figure svg { display: block; width: 100%; height: auto; overflow: visible; }
figure > h3 { margin: 0 0 10px; }
figcaption { margin-top: 10px; max-width: 64em; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 18px; } .pair figure { margin: 0; } figure + .pair { margin-top: 18px; }
.trio { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr)); gap: 16px; } .trio figure { margin: 0; padding: 14px 14px 8px; }
.grid { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 6px 8px; }
.grid .columns, .grid .rows { display: grid; font: 11.5px/1.25 var(--sans); }
.grid .columns { grid-column: 2; text-align: center; align-items: end; } .grid .columns span { color: var(--muted); display: block }
.grid .rows { align-items: center; color: var(--muted); text-align: right; font-variant-numeric: tabular-nums; }
.grid img { width: 100%; image-rendering: pixelated; filter: var(--digits); display: block; }
.scroll { overflow-x: auto; margin: 14px 0; }
table { border-collapse: collapse; font: 13.5px/1.45 var(--sans); font-variant-numeric: tabular-nums; width: 100%; }
th { font-weight: 600; text-align: left; color: var(--muted); border-bottom: 1px solid var(--ink); padding: 7px 14px 7px 0; white-space: nowrap; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); padding: 7px 14px 7px 0; vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; } td.t { white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0 }
.verdict { font: 600 11.5px/1 var(--sans); letter-spacing: .03em; padding: 4px 8px 4px; border-radius: 99px; border: 1px solid currentColor; white-space: nowrap; display: inline-block; }
.verdict.survives { color: var(--better) } .verdict.falsified { color: var(--worse) } .verdict.inconclusive { color: var(--muted) }
.bar { display: flex; height: 14px; border-radius: 4px; overflow: hidden; margin: 14px 0 6px; gap: 2px } .bar i { display: block; min-width: 2px }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 8px; vertical-align: baseline; }
details { margin: 14px 0 } summary { font: 600 13.5px/1.5 var(--sans); cursor: pointer; color: var(--series1); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; font: 13.5px/1.5 var(--sans); margin: 6px 0; } dt { color: var(--muted) } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.recipe { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 8px 40px; }
footer { margin-top: 72px; padding-top: 18px; border-top: 1px solid var(--line); }
@media (max-width: 620px) { main { padding: 36px 16px 60px } h1 { font-size: 28px } figure { padding: 12px } .pair { grid-template-columns: minmax(0, 1fr); } }
@media print { body { background: none } figure, .card { break-inside: avoid } }
`
