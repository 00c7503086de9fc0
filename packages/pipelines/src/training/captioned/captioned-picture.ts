/** A picture with what it shows in words. */
export interface CaptionedPicture {
  /** Path of the picture's file, PNG or JPEG. */
  readonly file: string
  /** One or more, none of them empty. */
  readonly captions: readonly string[]
  /** The file and the row that it comes from: "metadata.jsonl:12", "cat.txt". */
  readonly origin: string
  /** What it shows, alike for several pictures, by the field that `openCaptioned` was told of. */
  readonly group?: string
}

/** A picture, and the part of the data set that its row says it belongs to. */
export interface CaptionedRow extends CaptionedPicture {
  readonly split?: string
}
