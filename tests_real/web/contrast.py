"""Contrast of the words on a page, by WCAG 2.2 (success criterion 1.4.3, level AA)."""

# every visible element that has words of its own, with the colour under it; what is disabled or lies over a picture is
# left out, as the criterion does. Transparent colours are laid over what is behind them.
WORDS = """() => {
  const read = (text) => {
    const n = text.match(/[\\d.]+/g).map(Number)
    const by = text.startsWith('color(srgb') ? 255 : 1
    return [...n.slice(0, 3).map((v) => v * by), n[3] ?? 1]
  }
  const over = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3]))
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const found = []
  const walk = (root) => {
    for (const e of root.querySelectorAll('*')) {
      if (e.shadowRoot) walk(e.shadowRoot)
      const said = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join('')
      const style = getComputedStyle(e), at = e.getBoundingClientRect()
      if (!said || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
      if (at.width < 2 || at.height < 2 || e.closest('.box, [disabled], [aria-disabled=true], style, script')) continue
      const behind = []
      let opacity = 1
      for (let n = e; n; n = n.parentElement ?? n.getRootNode().host) {
        const s = getComputedStyle(n)
        behind.push(read(s.backgroundColor))
        opacity *= Number(s.opacity)
      }
      const ground = behind.reverse().reduce((below, top) => over(top, below), [255, 255, 255])
      const own = read(style.color)
      const word = over([...own.slice(0, 3), own[3] * opacity], ground)
      const [low, high] = [light(word), light(ground)].sort((a, b) => a - b)
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      found.push({ said: said.slice(0, 40), contrast: (high + 0.05) / (low + 0.05), least: large ? 3 : 4.5 })
    }
  }
  walk(document)
  return found
}"""


def faint(page) -> list[str]:
    """Words of a page that are and stay under the contrast of level AA, with what they have; what fades in or out has
    less for a moment."""
    for _ in range(10):
        found = page.evaluate(WORDS)
        assert len(found) > 5, found
        low = [f"{f['said']}: {f['contrast']:.2f} of {f['least']}" for f in found if f["contrast"] < f["least"]]
        if not low:
            break
        page.wait_for_timeout(300)
    return low
