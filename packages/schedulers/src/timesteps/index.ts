export { alignYourSteps, type AlignedSteps, type AlignYourSteps } from './align-your-steps.ts'
export { distilledFields, distilledTimesteps, type DistilledConfig } from './distilled.ts'
export {
  checkTimesteps,
  leading,
  spacedTimesteps,
  spacingFields,
  trailing,
  type SpacingConfig,
  type TimestepSpacing,
} from './spacing.ts'
