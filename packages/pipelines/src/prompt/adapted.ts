import { adapterNames, type AdapterWeights, type Module } from '@antipode/core/nn'

/** A model with as many of the adapters on as it has: an adapter may change the UNet alone. */
export function adapted<M extends Module>(model: M, weights: AdapterWeights): M {
  const own = new Set(adapterNames(model))
  return own.size === 0
    ? model
    : model.with(Object.fromEntries(Object.entries(weights).filter(([name]) => own.has(name))))
}
