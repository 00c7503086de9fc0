import { ShapeError } from '@antipode/core'
import { rng, type Rng } from '@antipode/core/random'
import { hashOf } from '../hash/index.ts'
import { blurred } from './blur.ts'
import { colourOf, hueTurned, tinted } from './colours.ts'
import { inkShare, moved, type Place, zoomed } from './crops.ts'
import { mapped, type Picture } from './picture.ts'

/** What each kind does to a picture; severity is above 0 and at most 1, and 1 is the worst of its kind. */
const degradations = {
  /** Gaussian blur of at most 5 % of the side. */
  blur: (picture: Picture, severity: number) => blurred(picture, 0.05 * picture.width * severity),
  /** Gaussian noise in each number, of a standard deviation of at most 70 of 255. */
  noise: (picture: Picture, severity: number, random: Rng) => mapped(picture, (i) => picture.data[i]! + 70 * severity * random.normal()),
  /** Hues turned by half a circle at most, one way or the other. */
  hue: (picture: Picture, severity: number, random: Rng) => hueTurned(picture, Math.PI * severity * (random.int(2) === 0 ? 1 : -1)),
  /** One channel loses at most 65 % and another some of that, so that the paper has a colour. */
  tint: (picture: Picture, severity: number, random: Rng) => tinted(picture, random.shuffle([1, 1 - 0.65 * severity, 1 - 0.65 * severity * random.uniform()])),
  /** A window of at least 40 % of the side, anywhere that is not all paper, at the picture's own size. */
  zoom: (picture: Picture, severity: number, random: Rng) => {
    const side = Math.round(picture.width * (1 - 0.6 * severity))
    return zoomed(picture, windowFor(picture, side, random), side)
  },
  /** Moved by 15 to 50 % of the side, so that a part is cut off. */
  shift: (picture: Picture, severity: number, random: Rng) => {
    const [distance, angle] = [picture.width * (0.15 + 0.35 * severity), 2 * Math.PI * random.uniform()]
    return moved(picture, { left: Math.round(distance * Math.cos(angle)), top: Math.round(distance * Math.sin(angle)) })
  },
}

/** A way to spoil a picture. */
export type DegradationKind = keyof typeof degradations

/** All ways to spoil a picture. */
export const degradationKinds = Object.keys(degradations) as readonly DegradationKind[] // the keys of the table above

/** Turning the hues of a picture with less colour is not seen. Flags of black and white have none, red ones about 100. */
const someColour = 8
/** Share of the ink that a window has at least. */
const someInk = 0.15

/** A spoilt picture, and how it was spoilt. */
export interface Degraded {
  readonly picture: Picture
  readonly kind: DegradationKind
  /** 1 is untouched and 0 the worst of its kind; in [0, 0.8], in hundredths. */
  readonly quality: number
}

/**
 * A spoilt copy of a picture: the kind is drawn evenly from those that show, severity from U[0.2, 1], and quality is 1 less
 * severity. All is drawn from a counter that the name seeds, so the same name and picture give the same copy.
 * @throws {ShapeError} if the picture is no square
 */
export function degraded(picture: Picture, name: string): Degraded {
  if (picture.width !== picture.height) {
    throw new ShapeError(`degraded: expected a square picture for ${name}, got ${picture.width}×${picture.height}; cut or pad it first`)
  }
  const random = rng(hashOf(`degradation of ${name}`))
  const kinds = degradationKinds.filter((kind) => kind !== 'hue' || colourOf(picture) >= someColour)
  const kind = kinds[random.int(kinds.length)]! // `int` is below the length
  const quality = Math.round(80 * random.uniform()) / 100
  return { picture: degradedBy(picture, { kind, severity: 1 - quality, random }), kind, quality }
}

/** A picture spoilt in one way. */
export function degradedBy(picture: Picture, { kind, severity, random }: { readonly kind: DegradationKind; readonly severity: number; readonly random: Rng }): Picture {
  return degradations[kind](picture, severity, random)
}

/** A place for a window that has some ink; the middle if none is found soon. */
function windowFor(picture: Picture, side: number, random: Rng): Place {
  const room = picture.width - side
  for (let tries = 0; tries < 16; tries++) {
    const place = { left: random.int(room + 1), top: random.int(room + 1) }
    if (inkShare(picture, place, side) >= someInk) return place
  }
  return { left: Math.floor(room / 2), top: Math.floor(room / 2) }
}
