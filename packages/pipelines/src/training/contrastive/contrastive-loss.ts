import { arange, logSumExp, ShapeError, type Tensor, where } from '@antipode/core'
import { anObject, checkOptions } from '@antipode/core/options'
import type { LossAndMetrics } from '@antipode/npo'

/** Options of {@link contrastiveLoss}. */
export interface ContrastiveLossOptions {
  /**
   * `[B, B]`, not 0 where the texts of two rows are the same: such rows are no negatives of each other, and take no part
   * in each other's softmax. All texts are different by default.
   */
  readonly sameCaption?: Tensor
}

/** The largest logit is 100 (Radford et al. 2021, section 2.5). */
const largestScale = Math.log(100)
/** What is left out of a softmax: from −100 on, it is exactly 0 in f32. */
const nothing = -1e4

/**
 * The contrastive loss of CLIP: with the cosines of all pictures and all texts of a batch, times `exp(logitScale)`, as
 * logits, the mean of two cross-entropies, of each picture's own text among all texts, and of each text's own picture
 * among all pictures. It starts near ln B. In f32 whatever the towers compute in.
 *
 * Metrics: `accuracy`, the share of rows whose own partner has a larger logit than every other that counts, as the mean
 * of both directions; `scale`, what cosines are multiplied by.
 * Source: Radford et al. 2021, arXiv 2103.00020, figure 3; which negatives are left out is our own.
 * @param imageEmbeds `[B, D]`, of any lengths: they are normalised here, as are those of texts
 * @param textEmbeds `[B, D]`, row by row of the same pictures
 * @param logitScale one number, the logarithm of the temperature's inverse; above ln 100 it counts as that, and gets no
 * gradient
 * @throws {ShapeError} unless shapes are these @throws {ConfigError} if an option is none
 */
export function contrastiveLoss(
  imageEmbeds: Tensor, textEmbeds: Tensor, logitScale: Tensor, options: ContrastiveLossOptions = {},
): LossAndMetrics {
  checkOptions('contrastiveLoss', options, { sameCaption: anObject('a tensor') })
  const { sameCaption } = options
  const [batch = 0] = imageEmbeds.shape
  checkShapes(imageEmbeds, textEmbeds, logitScale, sameCaption)
  const scale = logitScale.to('f32').reshape([]).minimum(largestScale).exp()
  const logits = unit(imageEmbeds).matmul(unit(textEmbeds), { transposeB: true }).mul(scale) // [B pictures, B texts]
  const rows = arange(logits.device, batch)
  const own = rows.unsqueeze(1).eq(rows) // [B, B]
  const counted = sameCaption ? where(sameCaption, own, 1) : undefined
  const left = counted ? where(counted, logits, nothing) : logits
  const paired = where(own, logits, 0).sum({ axes: 1 }) // [B]
  const others = where(own, nothing, left)
  const loss = [1, 0].map((axis) => {
    const along = axis === 1 ? left : left.transpose()
    return logSumExp(along).squeeze(-1).sub(paired).mean()
  })
  const accuracy = [1, 0].map((axis) => paired.gt(others.max({ axes: axis })).mean())
  return {
    loss: loss[0]!.add(loss[1]!).mul(0.5),
    metrics: { accuracy: accuracy[0]!.add(accuracy[1]!).mul(0.5), scale },
  }
}

/** Rows divided by their lengths, in f32; rows of zeros stay so. As torch's `normalize`. */
function unit(rows: Tensor): Tensor {
  const x = rows.to('f32')
  return x.mul(x.square().sum({ axes: 1, keepDims: true }).maximum(1e-24).rsqrt())
}

function checkShapes(images: Tensor, texts: Tensor, scale: Tensor, same: Tensor | undefined): void {
  const shape = (t: Tensor): string => `[${t.shape.join()}]`
  if (images.rank !== 2 || images.size === 0 || shape(images) !== shape(texts)) {
    throw new ShapeError(
      `contrastiveLoss: expected embeddings [B, D] of as many texts as pictures, got ${shape(images)} and ${shape(texts)}`,
    )
  }
  if (scale.size !== 1) throw new ShapeError(`contrastiveLoss: expected one logitScale, got ${shape(scale)}`)
  const [batch = 0] = images.shape
  if (same && shape(same) !== `[${batch},${batch}]`) {
    throw new ShapeError(`contrastiveLoss: expected sameCaption [${batch},${batch}], got ${shape(same)}`)
  }
}
