"""text and logs: what is written, and what would be read in Loki, which the preview does not have."""

from __future__ import annotations

from html import escape

from markdown_it import MarkdownIt

from preview.drawn import Asked, Drawn, Scene

_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def text(asked: Asked, _: Scene) -> Drawn:
    """Draw a panel of kind text."""
    options = asked.panel.option["options"]
    options["mode"].choice("markdown")
    return Drawn(f'<div class="words">{_MARKDOWN.render(options["content"].text())}</div>')


def logs(asked: Asked, _: Scene) -> Drawn:
    """Draw a panel of kind logs: its question stands for the answer."""
    asks = []
    for target in asked.panel.option["targets"].items():
        target["queryType"].choice("range")
        target["refId"].read()
        asks.append(f"<pre><code>{escape(target['expr'].text())}</code></pre>")
    return Drawn(f'<div class="words"><p>The preview has no Loki. Grafana shows the lines of:</p>{"".join(asks)}</div>')
