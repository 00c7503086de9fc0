import type { Interval } from '@antipode/npo/evaluation'

/** A number with a true minus sign and fixed decimals. */
export function fixed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals)
  return value < 0 && Number(text) !== 0 ? `−${text}` : text
}

/** As `fixed`, with a plus sign where the number is positive. */
export function signed(value: number, decimals = 4): string {
  return value > 0 ? `+${fixed(value, decimals)}` : fixed(value, decimals)
}

/** A share as a percentage with one decimal and no sign. */
export function percent(share: number, decimals = 1): string {
  return fixed(100 * share, decimals)
}

/** A tick of an axis of differences: two decimals, or three where it falls between them. */
export function tickText(value: number): string {
  return signed(value, Math.abs(100 * value - Math.round(100 * value)) < 1e-6 ? 2 : 3)
}

/** "+0.0268 [+0.0245, +0.0290]" */
export function gainSpan({ mean, low, high }: Interval): string {
  return `${signed(mean)} [${signed(low)}, ${signed(high)}]`
}

/** "73.9% [70.6, 76.6]" */
export function percentSpan({ mean, low, high }: Interval): string {
  return `${percent(mean)}% [${percent(low)}, ${percent(high)}]`
}

/** A p-value, as small as its resamples allow. */
export function pValueText(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3)
}

/** "4 min 12 s", "12.3 s" */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const rest = whole % 60
  if (whole < 3600) return `${Math.floor(whole / 60)} min${rest > 0 ? ` ${rest} s` : ''}`
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`
}

/** "512 MiB", "1.25 GiB" */
export function byteSize(bytes: number): string {
  const mebibytes = bytes / 2 ** 20
  if (mebibytes < 1) return `${Math.round(bytes / 1024)} KiB`
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`
}

/** A guidance scale as short as it is exact. */
export function scaleText(scale: number): string {
  return String(Number(scale.toFixed(3)))
}
