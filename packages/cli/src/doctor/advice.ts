import type { Situation } from './host.ts'

/** Platforms and processors that the package `webgpu` brings a binary for. */
const builds = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64']

/** What to do where the package `webgpu` is missing: lines, commands indented. */
export function packageAdvice({ platform, arch }: Situation): string[] {
  if (!builds.includes(`${platform}-${arch}`)) return [noBuild(platform, arch)]
  return ['Antipode reaches the GPU in Node through the package "webgpu". Install it beside Antipode:', '  npm install webgpu']
}

/** What to do where the package `webgpu` is there and cannot be loaded. @param cause the loader's message */
export function loadAdvice({ platform, arch, distributions }: Situation, cause: string): string[] {
  const head = `The package "webgpu" is installed and could not be loaded: ${cause}`
  if (!builds.includes(`${platform}-${arch}`)) return [head, noBuild(platform, arch)]
  if (distributions.includes('alpine')) {
    return [head, 'Its Linux binary is built for glibc, and Alpine has musl: use a Debian, Ubuntu or Fedora (or image of one).']
  }
  const linux = 'If the message names GLIBC or GLIBCXX, the system is older than the binary: Debian 12, Ubuntu 22.04 or later have what it needs.'
  return [head, 'Install it anew:', '  npm install --force webgpu', ...(platform === 'linux' ? [linux] : [])]
}

/** What to do where Dawn finds no adapter: lines, commands indented. */
export function adapterAdvice(situation: Situation): string[] {
  switch (situation.platform) {
    case 'linux':
      return [...nvidiaAdvice(situation), ...linuxAdvice(situation)]
    case 'darwin':
      return [
        'Dawn uses Metal, which is part of macOS: update macOS to a release that Apple still supports.',
        'In a virtual machine, the host has to pass its GPU on.',
      ]
    case 'win32':
      return [
        'Dawn uses Direct3D 12, or Vulkan. Update Windows and the driver of the graphics card, from its maker:',
        'NVIDIA, AMD or Intel. In a virtual machine or over a remote desktop the GPU may have to be passed on first.',
      ]
    default:
      return [`Dawn, which is WebGPU in Node, runs on Linux, macOS and Windows, not on ${situation.platform}.`]
  }
}

/** What to do about an adapter that computes wrong numbers. */
export function wrongAdvice({ platform }: Situation): string[] {
  const lines = ['Update the driver of the adapter, and report the output of `antipode doctor --json` if that does not help.']
  if (platform !== 'linux') return lines
  return [
    'A shader cache written under other settings can be the cause with Mesa: clear it and try again.',
    '  rm -rf ~/.cache/mesa_shader_cache ~/.cache/mesa_shader_cache_db',
    ...lines,
  ]
}

const noBuild = (platform: string, arch: string): string =>
  `It has binaries for Linux (x64, arm64), macOS and Windows (x64, arm64), not for ${platform} on ${arch}.`

function nvidiaAdvice({ nvidia }: Situation): string[] {
  if (!nvidia) return []
  return [
    'An NVIDIA GPU is here, but the Vulkan part of its driver is not. The package is nvidia-vulkan-icd on Debian and',
    'libnvidia-gl-<driver version> on Ubuntu. A container must be started with the graphics capability:',
    '  docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all ...',
    'Or compute on the CPU:',
  ]
}

function linuxAdvice({ distributions, release, mesa }: Situation): string[] {
  const first = distributions[0] ?? ''
  const installed = mesa ? ` Installed is ${mesa}.` : ''
  const again = 'Then run `antipode doctor` again.'
  if (mesa && Number.parseInt(mesa.replace(/^\d+:/, ''), 10) >= 25) {
    return [
      `Mesa ${mesa} is installed and new enough, but Vulkan does not show it. Is its loader installed? As root:`,
      '  apt-get install -y libvulkan1',
      'And do these variables, if they are set, name files that exist? Unset them otherwise:',
      '  echo "$VK_DRIVER_FILES" "$VK_ICD_FILENAMES"',
      again,
    ]
  }
  if (first === 'debian' && release === '12') {
    return [
      `Install Mesa 25, whose software adapter (lavapipe) computes on the CPU.${installed}`,
      'Debian 12\'s own Mesa 22.3 is not enough: its lavapipe lacks dynamic indexing of arrays of buffers and images (Vulkan\'s',
      'shaderStorageBufferArrayDynamicIndexing and its kin), and Dawn takes no adapter without. As root:',
      '  echo "deb http://deb.debian.org/debian bookworm-backports main" > /etc/apt/sources.list.d/bookworm-backports.list',
      '  apt-get update',
      '  apt-get install -y -t bookworm-backports mesa-vulkan-drivers libvulkan1',
      again,
    ]
  }
  const general = `Antipode needs a Vulkan driver: that of your GPU, or Mesa 25 or later for its software adapter (lavapipe).${installed}`
  if (distributions.includes('debian') || distributions.includes('ubuntu')) {
    return [
      general,
      'Debian 13 and an up-to-date Ubuntu 24.04 have one. As root:',
      '  apt-get update',
      '  apt-get install -y mesa-vulkan-drivers libvulkan1',
      again,
    ]
  }
  if (distributions.includes('fedora') || distributions.includes('rhel')) {
    return [general, 'As root:', '  dnf install -y mesa-vulkan-drivers vulkan-loader', again]
  }
  if (distributions.includes('arch')) return [general, 'As root:', '  pacman -S vulkan-swrast vulkan-icd-loader', again]
  return [general, 'Install your distribution\'s packages of Mesa\'s Vulkan drivers and of the Vulkan loader.', again]
}
