import { torchCpu } from '../noise/index.ts'

/** Draws of {@link torchCpu} one after the other, for tests that need not keep the state. */
export function torchNormals(seed: number): (count: number) => Float32Array {
  const stream = torchCpu(seed)
  let state = stream.begin()
  return (count) => {
    const draw = stream.draw(state, count)
    state = draw.state
    return draw.values
  }
}
