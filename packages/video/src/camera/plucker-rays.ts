import { ConfigError, OutOfMemoryError, ShapeError } from '@antipode/core'
import { checkOptions, listOf, type Range, required, show } from '@antipode/core/options'
import { vec3d } from 'wgpu-matrix'
import { checkRigid, type Matrix4 } from './poses.ts'

/** A pinhole camera in pixels: focal lengths fx and fy, principal point cx and cy. */
export type Intrinsics = readonly [fx: number, fy: number, cx: number, cy: number]

/** Cameras of a clip and the size of its frames in pixels. */
export interface PluckerOptions {
  /** One for each frame: finite numbers, focal lengths above 0. */
  readonly intrinsics: readonly Intrinsics[]
  /**
   * Rigid motions, one for each frame, column-major: the camera's position stands at 12, 13 and 14. The camera looks
   * along its +z, its x points right and its y down.
   */
  readonly cameraToWorld: readonly Matrix4[]
  /** Whole, 1 or more; so is the width. */
  readonly height: number
  readonly width: number
}

const numbers: Range = { expected: 'a list of numbers', accepts: (v) => typeof v === 'object' && v !== null && 'length' in v }
// Sizes have checks of their own, as they are the shape of what comes back.
const size: Range = { expected: 'a number', accepts: (v) => typeof v === 'number' }

/**
 * The ray through the middle of every pixel in Plücker coordinates: channels 0 to 2 are its moment `o × d`, channels 3 to 5
 * its direction d, with `d = R · normalise(((u + ½ − cx) / fx, (v + ½ − cy) / fy, 1))` and o the camera's position
 * (CameraCtrl, https://arxiv.org/abs/2404.02101, 3.1). A ray has the same six numbers wherever on it the camera
 * stands. Computed in float64. Use {@link relativePoses} first for a model that was trained on relative poses.
 *
 * @returns `[F, 6, H, W]` @throws {ShapeError} if frames are missing or the size is not positive and whole
 * @throws {ConfigError} if a pose is no rigid motion, a focal length is not positive, or an option is unknown
 * @throws {OutOfMemoryError} if there is no room for that many rays
 * @example
 * const cameraToWorld = [mat4.translation([1, 0, 0])]
 * const rays = pluckerRays({ intrinsics: [[64, 64, 32, 32]], cameraToWorld, height: 64, width: 64 }) // [1, 6, 64, 64]
 */
export function pluckerRays(options: PluckerOptions): Float32Array<ArrayBuffer> {
  checkOptions('pluckerRays', options, {
    intrinsics: required(listOf(numbers)), cameraToWorld: required(listOf(numbers)), height: required(size), width: required(size),
  })
  const { intrinsics, cameraToWorld, height, width } = options
  const frames = cameraToWorld.length
  if (frames === 0 || intrinsics.length !== frames) {
    throw new ShapeError(
      `pluckerRays: expected intrinsics and a pose for each frame, got ${intrinsics.length} and ${frames}; repeat the ` +
        'intrinsics of a camera that does not zoom',
    )
  }
  if (!(Number.isInteger(height) && height > 0 && Number.isInteger(width) && width > 0)) {
    throw new ShapeError(`pluckerRays: expected whole positive height and width, got ${height} and ${width}`)
  }
  const plane = height * width
  const rays = room(frames * 6 * plane)
  cameraToWorld.forEach((pose, frame) => {
    checkRigid(`pluckerRays: cameraToWorld[${frame}]`, pose)
    const [fx, fy, cx, cy] = checkIntrinsics(intrinsics[frame]!, frame)
    const origin = vec3d.create(pose[12]!, pose[13]!, pose[14]!)
    for (let v = 0; v < height; v++) {
      for (let u = 0; u < width; u++) {
        const seen = vec3d.normalize(vec3d.create((u + 0.5 - cx) / fx, (v + 0.5 - cy) / fy, 1))
        const direction = vec3d.transformMat4Upper3x3(seen, pose)
        const moment = vec3d.cross(origin, direction)
        const at = frame * 6 * plane + v * width + u
        for (let axis = 0; axis < 3; axis++) {
          rays[at + axis * plane] = moment[axis]!
          rays[at + (axis + 3) * plane] = direction[axis]!
        }
      }
    }
  })
  return rays
}

function room(length: number): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(length)
  } catch (cause) {
    throw new OutOfMemoryError(`pluckerRays: expected room for ${length} numbers, got a refusal of the host; make frames smaller or fewer`, { cause })
  }
}

function checkIntrinsics(camera: Intrinsics, frame: number): Intrinsics {
  if (camera.length !== 4 || !Array.from(camera).every(Number.isFinite) || !(camera[0] > 0 && camera[1] > 0)) {
    throw new ConfigError(
      `pluckerRays: expected intrinsics[${frame}] to be finite [fx, fy, cx, cy] in pixels with fx and fy above 0, got ` +
        `${show(Array.from(camera))}; multiply normalised ones by the width and height`,
    )
  }
  return camera
}
