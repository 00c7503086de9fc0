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
  if (typeof value === 'number') return value === 0 && 1 / value < 0 ? '-0' : `${value}`
  // With its length before it a text cannot be taken for a part of what follows.
  if (typeof value === 'string') return `${value.length}"${value}`
  return typeof value === 'bigint' ? `${value}n` : String(value)
}

/**
 * A text for plain data: equal for equal values only. Functions and objects of classes are told by being the same. Every node that
 * is made has one made of its attributes, so it is built without lists.
 */
export function exactText(value: unknown): string {
  if (typeof value === 'function') return `#${identityOf(value)}`
  if (typeof value !== 'object' || value === null) return primitiveText(value)
  if (Array.isArray(value)) {
    let text = '['
    for (let i = 0; i < value.length; i++) text += exactText(value[i]) + ','
    return text + ']'
  }
  if (!isPlain(value)) return `#${identityOf(value)}`
  let text = '{'
  for (const name in value) text += name.length + '.' + name + exactText((value as Readonly<Record<string, unknown>>)[name]) + ','
  return text + '}'
}

/** Whether an object is of no class. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
