export {
  defaultSettings, objectiveNames, preferenceName, type PreferenceSettings, resolveSettings, settingRanges, writeSettings,
} from './settings.ts'
