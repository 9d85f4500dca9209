'use strict';
// What works without this file: the list of commands, their forms, the list of runs, and the output as plain text. With
// it, a run's page follows the output, stops the run and types into it. Output becomes text nodes, never markup.

const KEPT_LINES = 5000;
const KEPT_CHARS = 2e6; // of all lines
const LINE_CHARS = 64 << 10; // a longer one goes on in the next
const WAITING_CHARS = 4e6; // that a hidden page puts by; its oldest goes first
const SHOW_MS = 40;
const LOOK_MS = 3000;
const AGAIN_MS = 3000;

document.documentElement.classList.add('script');

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');

function localise(root) {
  for (const time of root.querySelectorAll('time')) {
    time.title = time.textContent;
    time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  }
}

// Have part of this page as the server shows it now
async function renew(id) {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
  const found = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(id);
  const shown = byId(id);
  if (!found || !shown) return null;
  localise(found);
  if (found.innerHTML === shown.innerHTML) return shown;
  const focused = shown.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
  shown.replaceWith(document.importNode(found, true));
  if (focused !== null) [...byId(id).querySelectorAll('a')].find((a) => a.getAttribute('href') === focused)?.focus();
  return byId(id);
}

// Colours and weights out of escape sequences (ECMA-48, 8.3.117); every other sequence is left out
class Style {
  reset() {
    Object.assign(this, { fore: null, back: null, b: false, d: false, i: false, u: false, inverse: false });
    return this;
  }

  take(parameters) {
    const codes = parameters.split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at];
      if (code === 38 || code === 48) {
        const [colour, used] = colourOf(codes.slice(at + 1));
        this[code === 38 ? 'fore' : 'back'] = colour;
        at += used;
      } else this.one(code);
    }
  }

  one(code) {
    if (code === 0) this.reset();
    else if (code === 1) this.b = true;
    else if (code === 2) this.d = true;
    else if (code === 3) this.i = true;
    else if (code === 4) this.u = true;
    else if (code === 7) this.inverse = true;
    else if (code === 22) this.b = this.d = false;
    else if (code === 23) this.i = false;
    else if (code === 24) this.u = false;
    else if (code === 27) this.inverse = false;
    else if (code === 39) this.fore = null;
    else if (code === 49) this.back = null;
    else if (code >= 30 && code <= 37) this.fore = paletteColour(code - 30);
    else if (code >= 40 && code <= 47) this.back = paletteColour(code - 40);
    else if (code >= 90 && code <= 97) this.fore = paletteColour(code - 82);
    else if (code >= 100 && code <= 107) this.back = paletteColour(code - 92);
  }

  node(text, stream) {
    const classes = ['b', 'd', 'i', 'u'].filter((name) => this[name]);
    if (stream === 'stderr') classes.push('stderr');
    if (!classes.length && !this.fore && !this.back && !this.inverse) return document.createTextNode(text);
    const span = document.createElement('span');
    span.className = classes.join(' ');
    span.textContent = text;
    const [fore, back] = this.inverse ? [this.back ?? 'var(--screen)', this.fore ?? 'var(--ink)'] : [this.fore, this.back];
    if (fore) span.style.color = fore;
    if (back) span.style.backgroundColor = back;
    return span;
  }
}

function colourOf([kind, ...rest]) {
  if (kind === 5) return [paletteColour(rest[0] & 255), 2];
  if (kind === 2) return [`rgb(${rest.slice(0, 3).map((part) => (part || 0) & 255).join(' ')})`, 4];
  return [null, 0];
}

function paletteColour(index) {
  if (index < 16) return `var(--c${index})`;
  if (index >= 232) return `rgb(${Array(3).fill(8 + (index - 232) * 10).join(' ')})`;
  const level = (step) => (step ? 55 + step * 40 : 0);
  const cube = index - 16;
  return `rgb(${[cube / 36, (cube / 6) % 6, cube % 6].map((step) => level(Math.floor(step))).join(' ')})`;
}

// eslint-disable-next-line no-control-regex
const TOKEN = /\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\0-\x08\x0b-\x1f\x7f]|\n/g;
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]{0,4096}\x1b?|[ -/]*)?$/;

// The last lines of an output
class Screen {
  constructor(element) {
    this.element = element;
    this.style = new Style().reset();
    this.held = '';
    this.lines = 0; // that have gone through it
    this.chars = 0;
    this.begin();
  }

  begin() {
    this.line = document.createElement('span');
    this.length = 0;
    this.isBack = false; // a CR: what comes next is written over the line
    this.element.append(this.line);
  }

  write(text, stream) {
    let rest = this.held + text;
    const unfinished = UNFINISHED.exec(rest);
    this.held = unfinished ? unfinished[0] : '';
    if (unfinished) rest = rest.slice(0, unfinished.index);
    let from = 0;
    for (const match of rest.matchAll(TOKEN)) {
      this.put(rest.slice(from, match.index), stream);
      from = match.index + match[0].length;
      if (match[1] !== undefined) this.style.take(match[1]);
      else if (match[0] === '\n') this.feed();
      else if (match[0] === '\r') this.isBack = true;
    }
    this.put(rest.slice(from), stream);
  }

  put(text, stream) {
    if (!text) return;
    if (this.isBack) {
      this.line.replaceChildren();
      this.chars -= this.length;
      this.length = 0;
      this.isBack = false;
    }
    this.line.append(this.style.node(text, stream));
    this.length += text.length;
    this.chars += text.length;
    if (this.length > LINE_CHARS) this.begin();
  }

  feed() {
    this.line.append('\n');
    this.length += 1;
    this.chars += 1;
    this.lines += 1;
    this.begin();
  }

  note(text) {
    if (this.length) this.feed();
    this.line.className = 'gap';
    this.line.append(text);
    this.feed();
  }

  trim() {
    const { element } = this;
    while (element.childElementCount > KEPT_LINES + 1 || (this.chars > KEPT_CHARS && element.childElementCount > 1)) {
      this.chars -= element.firstElementChild.textContent.length;
      element.firstElementChild.remove();
      this.isCut = true;
    }
  }
}

// Pieces that have come and are not shown yet: many make one change of the page
class Waiting {
  constructor() {
    this.pieces = [];
    this.chars = 0;
    this.lost = 0;
  }

  add(piece) {
    this.pieces.push(piece);
    this.chars += piece.text.length;
    while (this.chars > WAITING_CHARS && this.pieces.length > 1) {
      const { text } = this.pieces.shift();
      this.chars -= text.length;
      this.lost += text.split('\n').length - 1;
    }
  }

  // Return the pieces from the last KEPT_LINES lines on, and how many lines were before them
  take() {
    let { lost } = this;
    let lines = 0;
    let first = this.pieces.length;
    while (first > 0 && lines <= KEPT_LINES) {
      first -= 1;
      lines += this.pieces[first].text.split('\n').length - 1;
    }
    for (const piece of this.pieces.slice(0, first)) lost += piece.text.split('\n').length - 1;
    const pieces = this.pieces.slice(first);
    Object.assign(this, new Waiting());
    return { pieces, lost };
  }
}

function follow(output) {
  const { run, root } = output.dataset;
  const api = `${root}api/runs/${run}`;
  const screen = new Screen(output);
  const waiting = new Waiting();
  const [link, kept, stay] = [byId('link'), byId('kept'), byId('stay').querySelector('input')];
  let offset = null;
  let isDue = false;
  let isOver = false;

  const isAtEnd = () => output.scrollHeight - output.scrollTop - output.clientHeight < 40;
  const toEnd = () => { output.scrollTop = output.scrollHeight; };

  function show() {
    isDue = false;
    const { pieces, lost } = waiting.take();
    if (lost) screen.isCut = true;
    screen.lines += lost;
    for (const piece of pieces) {
      if (piece.stream === null) screen.note(piece.text);
      else screen.write(piece.text, piece.stream);
    }
    screen.trim();
    kept.textContent = screen.isCut ? `the last ${number.format(KEPT_LINES)} lines at most are kept here` : '';
    if (stay.checked) toEnd();
  }

  function add(piece) {
    waiting.add(piece);
    if (!isDue) {
      isDue = true;
      setTimeout(show, SHOW_MS);
    }
  }

  function took(event) {
    const [, at] = event.lastEventId.split('/');
    if (at !== undefined) offset = at;
    return JSON.parse(event.data);
  }

  async function look() {
    const head = await renew('head').catch(() => null);
    if (!head || head.dataset.state !== 'finished') return;
    byId('stop').hidden = true;
    if (byId('input')) byId('input').hidden = true;
  }

  function open() {
    const place = offset === null ? `tail=${KEPT_LINES}` : `from=${offset}`;
    const source = new EventSource(`${api}/output?format=sse&${place}`);
    source.onopen = () => { link.textContent = ''; };
    source.onerror = () => {
      if (isOver) return;
      link.textContent = 'Reconnecting…';
      if (source.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MS);
    };
    source.addEventListener('output', (event) => {
      const piece = took(event);
      if (offset !== null && piece.offset > 0 && screen.lines === 0 && !screen.length && !waiting.pieces.length) screen.isCut = true;
      add(piece);
    });
    source.addEventListener('gap', (event) => {
      const gap = took(event);
      add({ stream: null, text: `[${number.format(gap.to - gap.from)} bytes are missing: ${gap.why}]` });
    });
    source.addEventListener('state', (event) => {
      took(event);
      look();
    });
    source.addEventListener('end', () => {
      isOver = true;
      source.close();
      link.textContent = '';
      look();
    });
  }

  output.addEventListener('scroll', () => { stay.checked = isAtEnd(); }, { passive: true });
  stay.addEventListener('change', () => { if (stay.checked) toEnd(); });
  handleStop(api, link);
  handleInput(api, link);
  open();
}

async function tell(answer, link) {
  if (answer.ok) return true;
  const problem = await answer.json().catch(() => ({}));
  link.textContent = `${problem.detail ?? answer.statusText}${problem.hint ? `: ${problem.hint}` : ''}`;
  return false;
}

function ask(url, body, type, link) {
  return fetch(url, { method: 'POST', body, headers: body ? { 'Content-Type': type } : {} })
    .then((answer) => tell(answer, link))
    .catch(() => { link.textContent = 'The server cannot be reached'; return false; });
}

function handleStop(api, link) {
  const button = byId('stop');
  let now = false;
  button.addEventListener('click', async () => {
    if (await ask(`${api}/stop`, JSON.stringify({ now }), 'application/json', link)) {
      now = true;
      button.textContent = 'Stop now';
      button.title = 'Go to the next signal at once';
    }
  });
}

function handleInput(api, link) {
  const form = byId('input');
  if (!form) return;
  const typed = byId('typed');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const bytes = new TextEncoder().encode(`${typed.value}\n`);
    if (await ask(`${api}/input`, bytes, 'application/octet-stream', link)) typed.value = '';
  });
  byId('close').addEventListener('click', () => ask(`${api}/input?close=1`, null, '', link));
}

function keepUp() {
  setInterval(() => { if (!document.hidden) renew('runs').catch(() => null); }, LOOK_MS);
}

// twice pressed is once meant; a page that is shown again by the back button can be used again
for (const form of document.querySelectorAll('form[action*="commands/"]')) {
  form.addEventListener('submit', () => setTimeout(() => { form.querySelector('button').disabled = true; }));
  window.addEventListener('pageshow', () => { form.querySelector('button').disabled = false; });
}
localise(document);
if (byId('output')) follow(byId('output'));
else if (byId('runs')) keepUp();
