/** When a run wrote how much, as a line of a hundred pixels. How much in all stands
 * beside it, in figures. */

const WIDTH = 96;
const HEIGHT = 20;

export function Spark({ bytes }: { bytes: readonly number[] }) {
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={sparkPath(bytes, WIDTH, HEIGHT)} fill="currentColor" />
    </svg>
  );
}

/** Return bars as one path: their heights grow with the root of the bytes, so that a flood leaves the rest visible. */
export function sparkPath(bytes: readonly number[], width: number, height: number): string {
  const most = Math.max(1, ...bytes);
  const step = width / Math.max(1, bytes.length);
  const bars = bytes.map((count, index) => {
    const tall = count === 0 ? 0 : Math.max(1.5, Math.sqrt(count / most) * (height - 2));
    if (tall === 0) return "";
    return `M${round(index * step)} ${round(height - 1 - tall)}h${round(Math.max(step - 0.5, 0.8))}v${round(tall)}h-${round(Math.max(step - 0.5, 0.8))}z`;
  });
  return `${bars.join("")}M0 ${height - 1}h${width}v1h-${width}z`;
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}
