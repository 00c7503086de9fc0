export { defaultSettings, type PreferenceSettings, resolveSettings, settingRanges, writeSettings } from './settings.ts'
