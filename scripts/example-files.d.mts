export function placeExampleFiles(folder: string): void
