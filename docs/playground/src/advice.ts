/** What a page can tell about its host without WebGPU. */
export interface Host {
  /** Whether the page came over HTTPS or from this machine. */
  readonly secure: boolean
  /** Whether `navigator.gpu` exists, though it gave no adapter. */
  readonly api: boolean
  readonly userAgent: string
}

/** Why nothing can be sampled, and what to do about it, most likely remedy first. */
export interface Advice {
  readonly problem: string
  readonly remedies: readonly string[]
}

/** Advice for a browser that gave no WebGPU adapter. */
export function adviceFor({ secure, api, userAgent }: Host): Advice {
  if (!secure) {
    return {
      problem: 'This page did not come over HTTPS or from localhost, and browsers offer WebGPU to such pages only.',
      remedies: ['Serve it over HTTPS, or open it through `npm run playground`, which serves it from localhost.'],
    }
  }
  const linux = /Linux|X11/.test(userAgent) && !/Android/.test(userAgent)
  const firefox = /Firefox\//.test(userAgent)
  const safari = /Safari\//.test(userAgent) && !/Chrom(e|ium)\//.test(userAgent)
  if (api) {
    const software = 'With no GPU at all, start Chromium with `--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader`: it then computes on the CPU, slowly but rightly.'
    return {
      problem: 'This browser knows WebGPU but found no adapter: the graphics driver is missing, too old or on the browser’s block list.',
      remedies: firefox || safari
        ? ['Update the system and the browser, and switch hardware acceleration on in its settings.', 'Try Chrome, Edge or Chromium.']
        : [
            'Open `chrome://gpu` and read what it says about WebGPU; update the graphics driver.',
            ...(linux ? ['On Linux, set `chrome://flags/#enable-unsafe-webgpu` and `#enable-vulkan` to Enabled and restart.'] : []),
            software,
          ],
    }
  }
  const problem = 'This browser does not offer WebGPU.'
  if (firefox) {
    return { problem, remedies: ['Update Firefox: WebGPU comes switched on from version 141 on Windows and 145 on Apple silicon.', 'Elsewhere set `dom.webgpu.enabled` in `about:config`, or try Chrome, Edge or Chromium.'] }
  }
  if (safari) return { problem, remedies: ['Update to Safari 26 (macOS Tahoe, iOS 26).', 'On older systems use Chrome or Edge.'] }
  return {
    problem,
    remedies: [
      'Use Chrome, Edge or Chromium 113 or newer; on Android, Chrome 121 or newer.',
      ...(linux ? ['On Linux, start it with `--enable-unsafe-webgpu --enable-features=Vulkan`.'] : []),
    ],
  }
}
