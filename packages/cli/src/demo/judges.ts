import { type DigitClassifier, digitJudge, type Digits, type DigitScore, labellingReward } from '@antipode/digits'

/** Who scores. */
export interface Judges {
  readonly judge: DigitScore
  readonly reward: DigitScore
  readonly classifier: DigitClassifier
}

/** Judges of digits, each by the digits that it may look at. */
export function judgesOf({ judge, labeller }: Digits['splits'], classifier: DigitClassifier): Judges {
  return { judge: digitJudge(judge, classifier), reward: labellingReward(labeller), classifier }
}

/** What images of some classes are measured by: a number for each image. */
export function digitMetrics(
  { judge, reward, classifier }: Judges, labels: Int32Array, side: number,
): Readonly<Record<'judge' | 'reward' | 'correct', (images: Float32Array) => ArrayLike<number>>> {
  return {
    judge: (images) => judge(images, labels),
    reward: (images) => reward(images, labels),
    correct: (images) => Array.from(classifier.predict(images, side), (c, i) => Number(c === labels[i])),
  }
}
