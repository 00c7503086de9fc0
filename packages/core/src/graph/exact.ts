const identities = /* @__PURE__ */ new WeakMap<object, number>()
let known = 0

/** A number for an object, as long as it lives: equal for the same one only. */
export function identityOf(object: object): number {
  let id = identities.get(object)
  if (id === undefined) {
    id = known++
    identities.set(object, id)
  }
  return id
}

/** A text for a value that is no object: equal for the same value only, so that NaN, null, 0, −0 and '0' differ. */
export function primitiveText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : String(value)
}

/** A text for plain data: equal for equal values only. Functions and objects of classes are told by being the same. */
export function exactText(value: unknown): string {
  if (typeof value === 'function') return `#${identityOf(value)}`
  if (typeof value !== 'object' || value === null) return primitiveText(value)
  if (Array.isArray(value)) return `[${value.map(exactText).join()}]`
  if (!isPlain(value)) return `#${identityOf(value)}`
  let text = '{'
  // With its length before it a name cannot be taken for a part of another.
  for (const name in value) text += `${name.length}.${name}:${exactText((value as Readonly<Record<string, unknown>>)[name])},`
  return `${text}}`
}

/** Whether an object is of no class. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
