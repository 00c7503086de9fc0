import { type Rng, rng } from '@antipode/core/random'
import { stableHash } from '../table/index.ts'
import { blur } from './blur.ts'
import { wrongColours } from './colours.ts'
import { crop } from './crop.ts'
import { bytesOf, type Picture } from './picture.ts'

/** A spoilt picture. */
export interface DegradedPicture extends Picture {
  readonly kind: typeof kinds[number]
  /** 1 would be untouched, 0 is worst. */
  readonly quality: number
}

/** What spoils pictures, as collections from the web have it. */
export const kinds = ['blur', 'noise', 'colours', 'crop'] as const

/** The least strength of 1 that a picture is spoilt by: less cannot be seen. */
const leastStrength = 0.3

/**
 * A spoilt copy of a picture. Its kind and its strength s ~ U[0.3, 1] come from the name alone, and its quality is 1 − s:
 * - blur: σ = 3·s of 64 pixels;
 * - noise: Gaussian, of a standard deviation of 90·s in 0 to 255;
 * - colours: hues turned by 60° to 60° + 120°·s either way, and each channel scaled by U[1 − 0.5·s, 1];
 * - crop: a zoom to 1/(1 + s) of the side about a point that lies 0.35·s of the side off the middle, in any direction.
 * @param name of the picture
 */
export function degraded(picture: Picture, name: string): DegradedPicture {
  const random = rng(stableHash(`degrade ${name}`))
  const kind = kinds[random.int(kinds.length)]!
  const strength = leastStrength + (1 - leastStrength) * random.uniform()
  return { ...spoil[kind](picture, strength, random), kind, quality: Number((1 - strength).toFixed(3)) }
}

const spoil: Readonly<Record<typeof kinds[number], (picture: Picture, strength: number, random: Rng) => Picture>> = {
  blur: (picture, strength) => blur(picture, 3 * strength * picture.side / 64),
  noise: ({ data, side }, strength, random) => (
    { data: bytesOf(Float64Array.from(data, (value) => value + 90 * strength * random.normal())), side }
  ),
  colours: (picture, strength, random) => {
    const way = random.int(2) === 0 ? 1 : -1
    const scale = (): number => 1 - 0.5 * strength * random.uniform()
    return wrongColours(picture, { turn: way * (60 + 120 * strength * random.uniform()), scale: [scale(), scale(), scale()] })
  },
  crop: (picture, strength, random) => {
    const side = Math.round(picture.side / (1 + strength))
    const angle = 2 * Math.PI * random.uniform()
    const off = (direction: number): number =>
      Math.round((picture.side - side) / 2 + 0.35 * strength * picture.side * direction)
    return crop(picture, { side, left: off(Math.cos(angle)), top: off(Math.sin(angle)) })
  },
}
