import { InvalidArgumentError } from 'commander'

/**
 * A parser of whole numbers for an option's value.
 * @throws {InvalidArgumentError} when parsing, unless the text is a decimal whole number from `min` to `max`
 */
export function wholeNumber({ min, max }: { readonly min: number; readonly max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
    }
    return value
  }
}

/** A parser of paths. @throws {InvalidArgumentError} when parsing, if the text is empty */
export function path(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a path.')
  return text
}
