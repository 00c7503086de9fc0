export {
  defaultSettings, objectiveNames, preferenceName, type PreferenceSettings, resolveSettings, settingRanges,
} from './settings.ts'
export {
  digitsModel, hasSetting, onlineDefault, type OnlineMethod, onlineMethods, onlineName, onlineRanges, type OnlineSettings,
  resolveOnline,
} from './online-settings.ts'
export {
  pictureDefault, pictureRanges, type PictureSettings, type PictureStage, resolvePictures, stageHas,
} from './picture-settings.ts'
