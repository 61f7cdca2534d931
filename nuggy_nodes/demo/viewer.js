// Photograph and result under a slider; zoom, 1:1, and moving the subject. No library.
const states = new WeakMap()
const FRAME = 44 // pixels that a folding frame's borders take

export default function ({ parentElement, data, setStateValue }) {
  const find = (name) => parentElement.querySelector('.' + name)
  const box = find('box'), stage = find('stage'), before = find('before'), after = find('after')
  const line = find('line'), slider = find('slider')
  const s = states.get(box) ?? { zoom: 1, x: 0, y: 0, share: 50, pointers: new Map(), moved: null }
  states.set(box, s)
  s.data = data
  s.send = setStateValue
  if (before.src !== data.before) before.src = data.before
  if (after.src !== data.after) after.src = data.after
  before.alt = data.words.before
  after.alt = data.words.after
  box.style.aspectRatio = `${data.width} / ${data.height}`
  box.style.width = `min(100%, calc(78vh * ${data.width / data.height}))`
  slider.setAttribute('aria-label', data.words.slider)
  find('fit').textContent = data.words.fit
  find('one').textContent = data.words.one
  find('hint').textContent = data.movable ? data.words.hint_move : data.words.hint
  after.style.transform = ''
  draw()
  if (s.ready) return
  s.ready = true

  function draw() {
    stage.style.transform = `translate(${s.x}px, ${s.y}px) scale(${s.zoom})`
    after.style.clipPath = `inset(0 0 0 ${s.share}%)`
    before.style.clipPath = `inset(0 ${100 - s.share}% 0 0)`
    line.style.left = `${s.x + (box.clientWidth * s.share * s.zoom) / 100}px`
    slider.value = s.share
    stage.classList.toggle('pixels', s.zoom * box.clientWidth > 2 * s.data.width)
  }
  function keep() { // the picture fills the frame
    s.x = Math.min(0, Math.max(s.x, box.clientWidth * (1 - s.zoom)))
    s.y = Math.min(0, Math.max(s.y, box.clientHeight * (1 - s.zoom)))
  }
  function zoomTo(zoom, px, py) {
    const most = Math.max((8 * s.data.width) / box.clientWidth, 1)
    const next = Math.min(Math.max(zoom, 1), most)
    s.x = px - ((px - s.x) * next) / s.zoom
    s.y = py - ((py - s.y) * next) / s.zoom
    s.zoom = next
    keep()
    draw()
  }
  const at = (e) => {
    const r = box.getBoundingClientRect()
    return [e.clientX - r.left, e.clientY - r.top]
  }
  slider.oninput = () => { s.share = Number(slider.value); draw() }
  find('fit').onclick = () => zoomTo(1, 0, 0)
  find('one').onclick = () =>
    zoomTo(s.data.width / devicePixelRatio / box.clientWidth, (box.clientWidth * s.share) / 100, box.clientHeight / 2)
  box.onwheel = (e) => {
    if (!e.ctrlKey && !e.metaKey && s.zoom === 1 && e.deltaY > 0) return // the page scrolls
    if (!e.ctrlKey && !e.metaKey && !s.inside) return
    e.preventDefault()
    zoomTo(s.zoom * Math.exp(-e.deltaY / 300), ...at(e))
  }
  box.onpointerdown = (e) => {
    box.setPointerCapture(e.pointerId)
    s.inside = true
    s.pointers.set(e.pointerId, at(e))
    const nearLine = Math.abs(at(e)[0] - parseFloat(line.style.left)) < 24
    s.how = nearLine ? 'slide' : s.data.movable ? 'move' : s.zoom > 1 ? 'pan' : 'slide'
    s.moved = [0, 0]
    if (s.how === 'slide') box.onpointermove(e)
  }
  box.onpointermove = (e) => {
    if (!s.pointers.has(e.pointerId)) return
    const [x, y] = at(e), [ox, oy] = s.pointers.get(e.pointerId)
    if (s.pointers.size === 2) {
      const other = [...s.pointers].find(([id]) => id !== e.pointerId)[1]
      const far = (a) => Math.hypot(a[0] - other[0], a[1] - other[1])
      zoomTo((s.zoom * far([x, y])) / Math.max(far([ox, oy]), 1), (x + other[0]) / 2, (y + other[1]) / 2)
    } else if (s.how === 'slide') {
      s.share = Math.min(Math.max(((x - s.x) / s.zoom / box.clientWidth) * 100, 0), 100)
      draw()
    } else if (s.how === 'pan') {
      s.x += x - ox
      s.y += y - oy
      keep()
      draw()
    } else {
      s.moved = [s.moved[0] + x - ox, s.moved[1] + y - oy]
      after.style.transform = `translate(${s.moved[0] / s.zoom}px, ${s.moved[1] / s.zoom}px)`
    }
    s.pointers.set(e.pointerId, [x, y])
  }
  box.onpointerup = box.onpointercancel = (e) => {
    s.pointers.delete(e.pointerId)
    if (s.how === 'move' && Math.hypot(...s.moved) > 2) {
      const [dx, dy] = s.moved
      s.send('moved', [dx / s.zoom / box.clientWidth, dy / s.zoom / box.clientHeight, Date.now()])
    }
    s.moved = null
  }
  function measure() { // in steps: a window that is made narrower does not ask for every pixel
    const room = Math.max(Math.min(Math.floor((box.parentElement.clientWidth - FRAME) / 20) * 20, s.data.room), 200)
    if (room !== (s.room ?? s.data.room)) s.send('room', room)
    s.room = room
  }
  const watch = new ResizeObserver(() => { keep(); draw(); measure() })
  watch.observe(box)
  return () => watch.disconnect()
}
