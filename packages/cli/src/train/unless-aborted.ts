/** What is made, or nothing where the run is interrupted meanwhile: it saves what was done before it ends. */
export async function unlessAborted<T>(signal: AbortSignal, make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make()
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
