/** A picture of a set, and what it may be called. */
export interface CaptionedPicture {
  /** Path of a PNG or JPEG file. */
  readonly file: string
  /** At least one. */
  readonly captions: readonly string[]
  /** The part of the set that it belongs to, where the set says so: "train". */
  readonly split: string | undefined
  /** The file and row that it comes from: "metadata.jsonl:12". */
  readonly origin: string
}
