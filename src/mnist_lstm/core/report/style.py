"""The look of the report: one column, light or dark as the reader's system is, and fit to print."""

CSS = """
:root { --paper: #fff; --ink: #1a1a1a; --soft: #595959; --line: #d0d0d0; --tint: #f4f6f8; --accent: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e8e8e8; --soft: #a8adb3; --line: #3a3f45; --tint: #1f2327; --accent: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; border-bottom: 2px solid var(--accent); padding-bottom: .2rem; }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
.lead { font-size: 1.15rem; margin: 0 0 .5rem; }
.notice { border-left: 4px solid #d55e00; background: var(--tint); padding: .6rem .9rem; }
.wide { overflow-x: auto; }
.wide + .wide, pre + .wide { margin-top: 1.25rem; }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; white-space: nowrap; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; }
tbody th { font-weight: 600; }
code, pre { font: .87rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
td code { display: inline-block; min-width: 8.5rem; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 4px;
  padding: .6rem .8rem; margin: .3rem 0; }
figure { margin: 1.5rem 0 2.25rem; }
figure .wide { background: #fff; border: 1px solid var(--line); border-radius: 4px; }
img { display: block; width: 100%; min-width: 40rem; height: auto; }
figcaption { color: var(--soft); margin-top: .5rem; }
@media (max-width: 40rem) {
  tr:has(code) > th { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --tint: #f4f4f4; --accent: #0072b2; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  .wide { overflow: visible; }
  th, td { white-space: normal; }
  img { min-width: 0; }
  figure, tr, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""
