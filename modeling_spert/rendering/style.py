"""The style sheet of the HTML: one block of CSS, no font, picture or script, light and dark.

Its root class carries a checksum of the sheet, so that fragments made by different versions can share a notebook.
"""

import zlib

from spert_pages.palette import color_classes, theme_variables

_RULES = """
ROOT{font:16px/1.65 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans",sans-serif;
color:var(--ink);background:var(--paper);color-scheme:light dark;text-align:start;--h:1.125em;
-webkit-text-size-adjust:100%;print-color-adjust:exact;-webkit-print-color-adjust:exact}
ROOT *{box-sizing:border-box}
ROOT.sp-page{margin:0;padding:1.5rem .75rem 3rem;min-height:100vh}
ROOT.sp-page>*{max-width:54rem;margin-inline:auto}
ROOT.sp-part{padding:.75rem;border-radius:.6rem;max-width:60rem}
ROOT h1{font-size:1.4rem;line-height:1.3;margin:0 auto .75rem;overflow-wrap:anywhere}
ROOT h2{font-size:.8rem;line-height:1.4;margin:0 0 .4rem;color:var(--faint);font-weight:600;overflow-wrap:anywhere}
ROOT .sp-legend{display:flex;flex-wrap:wrap;gap:.35rem .9rem;list-style:none;margin:0 auto .45rem;padding:0;
font-size:.8rem;line-height:1.5;color:var(--faint)}
ROOT .sp-legend li{margin:0;padding:0;max-width:100%;overflow-wrap:anywhere}
ROOT .sp-type{background:var(--f);color:var(--t);border-radius:.25em;padding:.1em .45em;font-weight:600;
-webkit-box-decoration-break:clone;box-decoration-break:clone}
ROOT .sp-line{color:var(--t);font-weight:600}
ROOT .sp-line::before{content:"";display:inline-block;width:1.2em;border-top:2px solid var(--k);vertical-align:.3em;
margin-inline-end:.4em}
ROOT .sp-legend+article{margin-top:.9rem}
ROOT article{background:var(--card);border:1px solid var(--rule);border-radius:.6rem;padding:.8rem .9rem;
margin-bottom:.9rem}
ROOT.sp-part article:last-child{margin-bottom:0}
ROOT .sp-text{white-space:pre-wrap;overflow-wrap:anywhere;tab-size:4;overflow-x:clip;position:relative;margin:0}
ROOT .sp-bounded .sp-text{max-height:min(80vh,44rem);overflow:hidden auto}
ROOT .w,ROOT .g{position:relative}
ROOT .w,ROOT .n{white-space:pre}
ROOT .w[style*="--n"]::before{content:"";display:inline-block;width:0;height:calc(1.1875em + var(--n)*var(--h))}
ROOT .r{direction:rtl}
ROOT .l{direction:ltr}
ROOT .w i,ROOT .g i{position:absolute;font-style:normal;-webkit-user-select:none;user-select:none;pointer-events:auto}
ROOT i[data-l]::after{position:absolute;z-index:3;white-space:pre;unicode-bidi:isolate;font-size:.6875em;
line-height:1.4;font-weight:600;letter-spacing:.01em}
ROOT .e{inset-inline:0;bottom:calc(100% + var(--s)*var(--h));height:calc(var(--h) - 2px);background:var(--f);
color:var(--t)}
ROOT .e.f{border-start-start-radius:4px;border-end-start-radius:4px}
ROOT .e.z{border-start-end-radius:4px;border-end-end-radius:4px}
ROOT .e.f::after{content:attr(data-l);inset-inline-start:calc(.5em + var(--i,0em)*1.4545);top:.06em}
ROOT .a{inset-inline:0;bottom:calc(100% + (var(--s) + .5)*var(--h) - 2px);height:4px;border-top:1.5px solid var(--k);
color:var(--t)}
ROOT .p,ROOT .q{bottom:calc(100% + (var(--s) - var(--d))*var(--h) - 1px);height:calc((var(--d) + .5)*var(--h) + 3px)}
ROOT .p{inset-inline-start:var(--x);border-inline-start:1.5px solid var(--k);border-start-start-radius:6px}
ROOT .q{inset-inline-start:0;inset-inline-end:auto;width:var(--x);border-inline-end:1.5px solid var(--k);
border-start-end-radius:6px}
ROOT .p::after{content:attr(data-l);top:0;transform:translateY(-54%);inset-inline-start:.5em;padding-inline:.3em;
background:var(--card);border-radius:3px}
ROOT .u{inset-inline-end:auto;width:.9em;border-top-style:dashed}
ROOT .u::after{inset-inline-start:.85em}
ROOT .y::after{inset-inline-start:calc(100% + .2em)}
ROOT .p::before,ROOT .q::before{position:absolute;content:"";bottom:-1px}
ROOT .p::before{inset-inline-start:-1.5px}
ROOT .q::before{inset-inline-end:-1.5px}
ROOT .t::before{border:4.25px solid transparent;border-top:6px solid var(--k);border-bottom:0;margin-inline:-3.5px}
ROOT .o::before{width:6px;height:6px;border-radius:50%;background:var(--k);margin-inline:-2.25px;bottom:-2px}
ROOT details{margin-top:.7rem;font-size:.85rem;line-height:1.5;border-top:1px solid var(--rule);padding-top:.5rem}
ROOT summary{cursor:pointer;color:var(--faint)}
ROOT details ul{list-style:none;margin:.5rem 0 0;padding:0;max-height:min(70vh,40rem);overflow-y:auto}
ROOT details li{margin:0;padding:.18rem 0;overflow-wrap:anywhere}
ROOT .sp-score{color:var(--faint);font-variant-numeric:tabular-nums}
ROOT .sp-note{color:var(--faint);font-size:.8rem;margin:.5rem 0 0}
@media print{ROOT .sp-bounded .sp-text,ROOT details ul{max-height:none;overflow:visible}}
"""


def style_sheet(theme: str) -> tuple[str, str]:
    """The root class and the style sheet of a theme: "light", "dark", or "auto", which follows the reader's.

    "auto" asks the browser (`prefers-color-scheme`); a notebook that has a theme of its own (JupyterLab, VS Code)
    overrides that.
    """
    light, dark = theme_variables("light"), theme_variables("dark")
    rules = _RULES.strip() + "\n" + color_classes("ROOT ")
    if theme == "auto":
        themes = (
            f"ROOT{{{light}}}\n@media (prefers-color-scheme:dark){{ROOT{{{dark}}}}}\n"
            f'[data-jp-theme-light="true"] ROOT,.vscode-light ROOT{{{light}}}\n'
            f'[data-jp-theme-light="false"] ROOT,.vscode-dark ROOT{{{dark}}}\n'
        )
    else:
        themes = f"ROOT{{{light if theme == 'light' else dark};color-scheme:{theme}}}\n"
    sheet = rules + "\n" + themes
    root = f"spert-{zlib.crc32(sheet.encode()):08x}"
    return root, sheet.replace("ROOT", "." + root)
