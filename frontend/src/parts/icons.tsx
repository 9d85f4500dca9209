/** The icons: a few strokes each, on a grid of 16, in the colour of the text around them. */

const STROKES = {
  queued: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M8 5v3.2l2 1.3",
  going: "M8 2.5a5.5 5.5 0 1 1-5.2 3.7",
  good: "M3 8.5l3.4 3.5L13 4.5",
  bad: "M4 4l8 8M12 4l-8 8",
  other: "M3.5 8h9",
  stop: "M4.5 4.5h7v7h-7z",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  share:
    "M6 8.8L10.5 11.4M6 7.2L10.5 4.6M4.4 6.4a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 0 0 0-3.2M12 2.2a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 0 0 0-3.2M12 10.6a1.6 1.6 0 1 0 0 3.2a1.6 1.6 0 0 0 0-3.2",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  download: "M8 2.5v7.5M4.8 7L8 10.2L11.2 7M3 13.5h10",
  find: "M7 2.8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 0 0 0-8.4M10.2 10.2L13.5 13.5",
  wrap: "M2.5 4h11M2.5 8h8.5a2 2 0 0 1 0 4.2H8M9.6 10.4L7.6 12.2L9.6 14M2.5 12h2.5",
  follow: "M8 2.5v8M4.5 7.2L8 10.7l3.5-3.5M3 13.5h10",
  numbers: "M6 2.5L4.8 13.5M11.2 2.5L10 13.5M3 6h10.5M2.5 10H13",
  times: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M8 5v3.2h2.4",
  terminal: "M2 3h12v10H2zM4.5 6l2 2l-2 2M8.5 10.2h3",
  wide: "M2.5 8h11M5 5.2L2.2 8L5 10.8M11 5.2L13.8 8L11 10.8",
  more: "M3.4 8h.01M8 8h.01M12.6 8h.01",
  close: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  up: "M4 10l4-4l4 4",
  down: "M4 6l4 4l4-4",
  warning: "M8 2.5L14 13H2zM8 6.5v3M8 11.2v.01",
  told: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M8 7.2v3.6M8 5v.01",
  link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7L8 4.3M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9a2.6 2.6 0 0 0 3.7 3.7l1-1",
  bell: "M4 11V7.2a4 4 0 0 1 8 0V11l1 1H3zM6.8 14h2.4",
  pin: "M6 2.5h4l-.5 4l2 2.5h-7l2-2.5zM8 9v5",
  keys: "M1.5 4h13v8h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 9.5h6",
  person: "M8 2.5a2.7 2.7 0 1 0 0 5.4a2.7 2.7 0 0 0 0-5.4M3 13.5c.4-2.6 2.4-4 5-4s4.6 1.4 5 4",
  leave: "M9.5 3H4v10h5.5M7 8h6.5M11 5.4L13.6 8L11 10.6",
  send: "M13.5 8H3M9.5 4L13.5 8L9.5 12",
  jump: "M3 3v5h9.5M9.5 5L12.5 8L9.5 11",
  tailrace:
    "M2 5.2c2 0 2-1.7 4-1.7s2 1.7 4 1.7s2-1.7 4-1.7M2 9c2 0 2-1.7 4-1.7S8 9 10 9s2-1.7 4-1.7M2 12.8c2 0 2-1.7 4-1.7s2 1.7 4 1.7s2-1.7 4-1.7",
} as const;

export type IconName = keyof typeof STROKES;

/** An icon says nothing to who cannot see it: the words beside it, or the label of its button, do. */
export function Icon({ name, turns = false }: { name: IconName; turns?: boolean }) {
  return (
    <svg
      class={turns ? "turning" : undefined}
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width={name === "more" ? 2.4 : 1.6}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={STROKES[name]} />
    </svg>
  );
}
