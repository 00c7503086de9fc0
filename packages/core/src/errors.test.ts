import { describe, expect, test } from 'vitest'
import {
  AntipodeError,
  CheckpointError,
  ConfigError,
  DeviceLostError,
  DisposedError,
  DTypeError,
  NumericError,
  OutOfMemoryError,
  ShapeError,
  UnsupportedError,
} from './errors.ts'

const plain = {
  ShapeError,
  DTypeError,
  UnsupportedError,
  DisposedError,
  DeviceLostError,
  OutOfMemoryError,
  CheckpointError,
  ConfigError,
}

describe('typed errors', () => {
  test.each(Object.entries(plain))('%s carries its name, message and cause, and is an AntipodeError', (name, Class) => {
    const cause = new Error('inner')
    const error = new Class('op: expected a, got b', { cause })
    expect(error).toBeInstanceOf(AntipodeError)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(name)
    expect(String(error)).toBe(`${name}: op: expected a, got b`)
    expect(error.cause).toBe(cause)
  })

  test('codes are distinct', () => {
    const codes = Object.values(plain).map((Class) => new Class('').code)
    expect(new Set([...codes, new NumericError('', { where: 'x' }).code]).size).toBe(codes.length + 1)
  })

  test('NumericError says where the number was', () => {
    const error = new NumericError('train: expected a finite loss, got NaN', { where: 'loss' })
    expect(error.where).toBe('loss')
    expect(error).toBeInstanceOf(AntipodeError)
  })
})
