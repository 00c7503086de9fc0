export { EventFile, type EventPicture } from './event-file.ts'
