// Compiles src/*.sol into artefacts.json, which is committed and embedded in the Go package.
// Regenerate with:  npm ci && npm run build
// The settings are fixed and no metadata is appended, so the same sources give the same bytes.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import solc from 'solc'

const here = new URL('.', import.meta.url)
const sources = {}
const digest = createHash('sha256')
for (const name of readdirSync(new URL('src/', here)).sort()) {
  const content = readFileSync(new URL(`src/${name}`, here), 'utf8')
  sources[name] = { content }
  digest.update(content)
}
digest.update(readFileSync(new URL('package-lock.json', here), 'utf8')) // the versions of compiler and library

// What the sources import of npm packages, whose versions package-lock.json pins.
function library(path) {
  try {
    return { contents: readFileSync(new URL(`node_modules/${path}`, here), 'utf8') }
  } catch (error) {
    return { error: error.message }
  }
}

const output = JSON.parse(solc.compile(JSON.stringify({
  language: 'Solidity',
  sources,
  settings: {
    optimizer: { enabled: true, runs: 200 },
    // The code must also run on chains that never got PUSH0 (Shanghai).
    evmVersion: 'paris',
    metadata: { appendCBOR: false, bytecodeHash: 'none' },
    outputSelection: { '*': { '*': ['evm.deployedBytecode.object', 'evm.methodIdentifiers', 'storageLayout'] } },
  },
}), { import: library }))

const problems = output.errors ?? []
for (const problem of problems) process.stderr.write(problem.formattedMessage)
if (problems.length > 0) process.exit(1)

const contracts = {}
for (const file of Object.keys(sources)) {
  for (const [name, contract] of Object.entries(output.contracts[file] ?? {})) {
    const runtime = contract.evm.deployedBytecode.object
    if (runtime === '') continue // abstract
    contracts[name] = {
      runtime: `0x${runtime}`,
      selectors: Object.fromEntries(
        Object.entries(contract.evm.methodIdentifiers).map(([signature, selector]) => [signature, `0x${selector}`])),
      // OpenZeppelin's private variables begin with an underscore.
      slots: Object.fromEntries(contract.storageLayout.storage.map(({ label, slot }) => [label.replace(/^_/, ''), Number(slot)])),
    }
  }
}

const artefacts = { compiler: solc.version(), sources: digest.digest('hex'), contracts }
writeFileSync(new URL('artefacts.json', here), `${JSON.stringify(artefacts, null, 2)}\n`)
