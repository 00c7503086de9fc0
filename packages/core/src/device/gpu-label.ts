/**
 * Begins the label of every GPU object that this library makes. Errors that nobody captured name the objects they
 * concern, so that ours are told from those of a program's own work on the same device.
 */
const mark = 'antipode '

/** The label of a GPU object of this library. */
export function gpuLabel(name: string): string {
  return mark + name
}

/**
 * Whether an uncaptured error may concern objects of this library: it names one, or it names none at all, as on hosts
 * that write no labels into messages. Source of the form: Dawn, which Node and Chromium use, writes `[Buffer "label"]`,
 * `[Buffer (unlabeled)]`.
 */
export function mayConcernLibrary(message: string): boolean {
  return message.includes(`"${mark}`) || !/\[[A-Z]/.test(message)
}
