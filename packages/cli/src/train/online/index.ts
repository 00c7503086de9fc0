export { runTrainOnline, type TrainOnlineOptions, type TrainOnlineResult } from './train-online.ts'
