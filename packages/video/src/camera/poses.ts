import { ConfigError, ShapeError } from '@antipode/core'
import { checkArgument } from '@antipode/core/options'
import { mat4d } from 'wgpu-matrix'

/** A 4×4 matrix as `wgpu-matrix` keeps it: 16 numbers, column after column; a translation stands at 12, 13 and 14. */
export type Matrix4 = ArrayLike<number>

/** Camera files carry four to nine decimals; a rotation that is off by more than this is no rotation. */
const rigidTolerance = 1e-3

/**
 * Checks that a pose is a rigid motion: 16 finite numbers, an orthonormal rotation that is no mirror, last row 0 0 0 1.
 * The tolerance is 1e-3 on each product of columns.
 *
 * @param name of the caller and argument, for the message
 * @throws {ShapeError} unless there are 16 numbers @throws {ConfigError} if they are no rigid motion
 */
export function checkRigid(name: string, pose: Matrix4): void {
  if (pose.length !== 16) {
    throw new ShapeError(`${name}: expected 16 numbers, column after column, got ${pose.length}; append the row 0 0 0 1`)
  }
  const m = Array.from(pose)
  if (!m.every(Number.isFinite)) throw new ConfigError(`${name}: expected finite numbers, got [${m.join(', ')}]`)
  const lastRow = [m[3], m[7], m[11], m[15]] as number[]
  if (!lastRow.every((value, i) => Math.abs(value - (i === 3 ? 1 : 0)) <= rigidTolerance)) {
    throw new ConfigError(
      `${name}: expected the last row 0 0 0 1, got ${lastRow.join(' ')}; matrices are column-major, so the translation ` +
        'stands at 12, 13 and 14: transpose row-major ones with mat4.transpose',
    )
  }
  const column = (i: number): number[] => m.slice(4 * i, 4 * i + 3)
  const product = (i: number, j: number): number => column(i).reduce((sum, v, k) => sum + v * column(j)[k]!, 0)
  for (let i = 0; i < 3; i++) {
    for (let j = i; j < 3; j++) {
      if (Math.abs(product(i, j) - (i === j ? 1 : 0)) > rigidTolerance) {
        throw new ConfigError(
          `${name}: expected orthonormal columns, got column ${i} · column ${j} = ${product(i, j)}; take scale and shear ` +
            'out of the pose',
        )
      }
    }
  }
  if (mat4d.determinant(pose) < 0) {
    throw new ConfigError(`${name}: expected a rotation, got a mirror image (determinant < 0); flip one axis`)
  }
}

/**
 * Poses relative to the first camera: `c2w₀⁻¹ · c2wᵢ`, so that camera 0 stands at the origin and looks along +z. Models
 * that are steered by a camera are trained on such poses, as the world's own origin means nothing (CameraCtrl,
 * https://arxiv.org/abs/2404.02101, 3.2).
 *
 * @param cameraToWorld rigid column-major 4×4 matrices, one for each frame, float32 or float64
 * @returns as many float64 matrices; the first is the identity to the last bit
 * @throws {ShapeError} on no matrix, or one without 16 numbers @throws {ConfigError} on one that is no rigid motion
 */
export function relativePoses(cameraToWorld: readonly Matrix4[]): Float64Array[] {
  checkArgument('relativePoses', 'cameraToWorld', cameraToWorld, { expected: 'a list of matrices', accepts: Array.isArray })
  const [first] = cameraToWorld
  if (!first) throw new ShapeError('relativePoses: expected a matrix for each frame, got none')
  cameraToWorld.forEach((pose, frame) => { checkRigid(`relativePoses: cameraToWorld[${frame}]`, pose) })
  const toFirst = mat4d.inverse(first)
  const relative = (pose: Matrix4): Float64Array => mat4d.multiply(toFirst, pose)
  return [mat4d.identity(), ...cameraToWorld.slice(1).map(relative)]
}
