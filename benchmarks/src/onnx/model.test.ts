import { expect, test } from 'vitest'
import { encodeModel } from './model.ts'
import { encode, float, message } from './protobuf.ts'

test('messages are encoded as in the examples of the format', () => {
  // protobuf.dev/programming-guides/encoding: 150 in field 1, "testing" in field 2, a message in field 3.
  expect([...encode(message([1, 150]))]).toEqual([0x08, 0x96, 0x01])
  expect([...encode(message([2, 'testing']))]).toEqual([0x12, 0x07, ...Buffer.from('testing')])
  expect([...encode(message([3, message([1, 150])]))]).toEqual([0x1a, 0x03, 0x08, 0x96, 0x01])
  expect([...encode(message([2, float(1)]))]).toEqual([0x15, 0, 0, 0x80, 0x3f])
  expect([...encode(message([11, 0]))]).toEqual([0x58, 0])
  // −1 travels as ten bytes of its two's complement.
  expect([...encode(message([8, BigInt.asUintN(64, -1n)]))]).toEqual([0x40, ...new Array<number>(9).fill(0xff), 1])
})

test('a model holds its graph, weights and opset', () => {
  const bytes = encodeModel({
    nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: { x: [2] }, outputs: { y: [2] }, weights: { w: { shape: [2], data: Float32Array.of(1, -2) } },
  })
  const shape = [0x12, 0x04, 0x0a, 0x02, 0x08, 0x02]
  const value = (field: number, name: string): number[] => [field, 0x0f, 0x0a, 1, name.charCodeAt(0), 0x12, 0x0a, 0x0a, 0x08, 0x08, 1, ...shape]
  const node = [0x0a, 0x11, 0x0a, 1, 0x78, 0x0a, 1, 0x77, 0x12, 1, 0x79, 0x1a, 1, 0x79, 0x22, 3, ...Buffer.from('Add')]
  const weight = [0x2a, 0x11, 0x08, 2, 0x10, 1, 0x42, 1, 0x77, 0x4a, 8, ...new Uint8Array(Float32Array.of(1, -2).buffer)]
  const graph = [...node, 0x12, 9, ...Buffer.from('benchmark'), ...weight, ...value(0x5a, 'x'), ...value(0x62, 'y')]
  expect([...bytes]).toEqual([0x08, 8, 0x3a, graph.length, ...graph, 0x42, 4, 0x0a, 0, 0x10, 17])
})
