/**
 * A duration as people read it: "0.4 s", "12 s", "3 min 05 s", "2 h 07 min".
 * @param seconds 0 or more; "?" stands for what is not a finite number
 */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const two = (n: number): string => String(n).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}
