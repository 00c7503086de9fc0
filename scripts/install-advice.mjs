// What a person can do about what is missing: the commands of their system, or where else to get it.

import { installSteps, shellText } from './install-plan.mjs'

/**
 * @param {readonly import('./install-plan.mjs').Part[]} missing
 * @param {import('./system.mjs').System} system
 * @returns {string[]} lines, commands indented
 */
export function installAdvice(missing, system) {
  const steps = installSteps(missing, system)
  // As apt would do it; a part that it cannot is advised on alone.
  const rest = steps.length === 0 ? missing : missing.filter((part) => installSteps([part], system).length === 0)
  return [
    ...(steps.length === 0 ? [] : [`Run${system.root ? '' : ' (sudo asks for your password)'}:`, ...steps.map((step) => `  ${shellText(step, system)}`)]),
    ...rest.flatMap((part) => advice[part](system)),
    'Then run the command again.',
  ]
}

const advice = {
  adapter: adapterAdvice,
  browser: browserAdvice,
  queue: () => ['The tests of queues need redis-server, or Valkey under that name; without it they are skipped.'],
}

function adapterAdvice({ platform, distributions }) {
  if (platform === 'darwin') return ['Dawn computes with Metal, which is part of macOS: update macOS to a release that Apple still supports.']
  if (platform === 'win32') return ['Dawn computes with Direct3D 12: update Windows, and the driver of the graphics card from its maker (NVIDIA, AMD or Intel).']
  const need = 'Antipode needs a Vulkan driver: that of your GPU, or Mesa 25 or later for its software adapter (lavapipe).'
  if (isFedora(distributions)) return [need, '  sudo dnf install -y mesa-vulkan-drivers vulkan-loader']
  if (distributions.includes('arch')) return [need, '  sudo pacman -S --needed vulkan-swrast vulkan-icd-loader']
  return [need, 'Install your distribution\'s packages of Mesa\'s Vulkan drivers and of the Vulkan loader.']
}

function browserAdvice({ platform, distributions }) {
  const chrome = 'https://www.google.com/chrome'
  if (platform === 'darwin') return [`The browser tests need Chrome, from ${chrome} or by Homebrew:`, '  brew install --cask google-chrome']
  if (platform === 'win32') return [`The browser tests need Chrome, from ${chrome} or by winget:`, '  winget install --id Google.Chrome']
  const elsewhere = 'If it is elsewhere, set ANTIPODE_CHROMIUM to the path of its program.'
  if (isFedora(distributions)) return ['The browser tests need Chromium:', '  sudo dnf install -y chromium', elsewhere]
  if (distributions.includes('arch')) return ['The browser tests need Chromium:', '  sudo pacman -S --needed chromium', elsewhere]
  if (distributions[0] === 'ubuntu') return [`The browser tests need Chrome's package from ${chrome}: Ubuntu's own chromium is a snap, which they cannot drive.`, elsewhere]
  return [`The browser tests need Chromium, or Chrome from ${chrome}.`, elsewhere]
}

const isFedora = (distributions) => distributions.includes('fedora') || distributions.includes('rhel')
