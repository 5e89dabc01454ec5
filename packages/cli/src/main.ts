import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import type { LearnFlags } from './commands/learn.ts';
import type { GatewayFlags } from './commands/gateway.ts';
import {
  addServeOptions,
  driverOption,
  logLevelOption,
  parseCount,
  type ServeFlags,
} from './commands/serve-options.ts';

/**
 * The `vesper` command. A command's own modules are loaded when it runs: `generate` needs no driver, `serve` no generator.
 * @param argv the arguments, without node and the script
 * @returns the exit status; 2 when the arguments are wrong
 */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = createProgram((exitStatus) => {
    status = exitStatus;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are no errors; help that is shown because there is no command is one.
    return error.exitCode === 0 ? 0 : 2;
  }
}

function createProgram(done: (exitStatus: number) => void): Command {
  const program = new Command('vesper')
    .description('A GPU for virtual machines and sandboxes: WebGPU, remoted over bytes.')
    .version(version(), '-V, --version', 'print the version of the package')
    .showHelpAfterError('(vesper --help says more)')
    .enablePositionalOptions()
    .exitOverride();
  addServe(program, done);
  addRun(program, done);
  addGateway(program, done);
  program
    .command('doctor')
    .description('say which adapter and driver a host on this machine would use, and why')
    .option('--json', 'print JSON')
    .addOption(driverOption())
    .action(async (flags: { json?: boolean; driver?: ServeFlags['driver'] }) => {
      const { doctor } = await import('./commands/doctor.ts');
      done(await doctor(flags));
    });
  addPolicy(program, done);
  addReplay(program, done);
  addGenerator(program, 'generate', 'write the protocol from the WebGPU IDL and the overlay', done);
  addGenerator(program, 'check', 'name the generated files that are missing, changed or stale', done);
  return program;
}

function addServe(program: Command, done: (exitStatus: number) => void): void {
  const command = program
    .command('serve')
    .description('serve guests, each in a process of its own, until SIGINT or SIGTERM')
    .requiredOption(
      '--listen <address...>',
      'where: unix:PATH, shm:PATH, tcp:HOST:PORT (port 0 for any), or dev:PATH for the one guest behind a character device; ' +
        'with --policy, ROLE=unix:PATH for guests of that role',
    );
  addServeOptions(command, 'info').action(async (flags: ServeFlags & { listen: string[] }) => {
    const { serve } = await import('./commands/serve.ts');
    done(await serve(flags));
  });
}

function addRun(program: Command, done: (exitStatus: number) => void): void {
  const command = program
    .command('run')
    .description('run a command with a host of its own, whose address it finds in VESPER_ADDRESS')
    .usage('[options] -- <command...>')
    .argument('<command...>', 'the command and its arguments')
    .passThroughOptions();
  addServeOptions(command, 'warn')
    .addHelpText('after', '\nExample: vesper run -- node --import @vesper-gpu/register program.mjs')
    .action(async (args: string[], flags: ServeFlags) => {
      const { run } = await import('./commands/run.ts');
      done(await run(args, flags));
    });
}

function addGateway(program: Command, done: (exitStatus: number) => void): void {
  program
    .command('gateway')
    .description('take WebSockets, which browsers can open, and pass their bytes on to a host')
    .requiredOption('--listen <address>', 'where: tcp:HOST:PORT (port 0 for any), or unix:PATH behind a proxy')
    .requiredOption('--to <address>', 'the address of the host')
    .option(
      '--allow-origin <origin...>',
      'pages of this origin may connect, such as https://example.com (default: no page; programs may)',
    )
    .option('--max-connections <n>', 'how many may be open at a time', parseCount, 64)
    .addOption(logLevelOption('info'))
    .action(async (flags: GatewayFlags) => {
      const { gateway } = await import('./commands/gateway.ts');
      done(await gateway(flags));
    });
}

function addPolicy(program: Command, done: (exitStatus: number) => void): void {
  const policy = program
    .command('policy')
    .description('say what a policy file allows, or write one')
    .enablePositionalOptions()
    .exitOverride();
  policy
    .command('check')
    .description('sum up what each role may do, or name all that is wrong with the file')
    .argument('<file>', 'the policy file')
    .option('--json', 'print JSON')
    .action(async (file: string, flags: { json?: boolean }) => {
      const { checkPolicy } = await import('./commands/policy.ts');
      done(checkPolicy(file, flags));
    });
  policy
    .command('learn')
    .description('run a command, and write the smallest policy that allows what it did')
    .usage('[options] -- <command...>')
    .argument('<command...>', 'the command and its arguments')
    .option('--out <file>', 'where to write it (default: stdout, and what the command prints there goes to stderr)')
    .option('--role <name>', 'the name of its role', 'learned')
    .addOption(
      new Option('--shaders <by>', 'which shaders it allows: those of this run, or any that cost no more')
        .choices(['hashes', 'limits'])
        .default('hashes'),
    )
    .addOption(driverOption())
    .addOption(logLevelOption('warn'))
    .passThroughOptions()
    .addHelpText('after', '\nExample: vesper policy learn --out policy.json -- node program.mjs')
    .action(async (args: string[], flags: Omit<LearnFlags, 'maxGuests'>) => {
      const { learnPolicy } = await import('./commands/learn.ts');
      done(await learnPolicy(args, { ...flags, maxGuests: 64 }));
    });
  policy
    .command('explain')
    .description('say whether roles allow something, by which line of the file, and within which bounds')
    .argument('<file>', 'the policy file')
    .argument('<path>', 'a command, argument, field, enumeration value, feature, limit, @group or interface')
    .option('--role <name>', 'this role only')
    .option('--json', 'print JSON')
    .action(async (file: string, path: string, flags: { role?: string; json?: boolean }) => {
      const { explainPolicy } = await import('./commands/policy.ts');
      done(explainPolicy(file, path, flags));
    });
}

function addReplay(program: Command, done: (exitStatus: number) => void): void {
  program
    .command('replay')
    .description('play a session that a fuzzer kept in a file to a host of its own, and say what became of it')
    .argument('<file>', 'the reproducer')
    .addOption(driverOption())
    .addOption(logLevelOption('error'))
    .action(async (file: string, flags: Pick<ServeFlags, 'driver' | 'logLevel'>) => {
      const { replay } = await import('./commands/replay.ts');
      done(await replay(file, flags));
    });
}

function addGenerator(
  program: Command,
  name: 'generate' | 'check',
  description: string,
  done: (exitStatus: number) => void,
): void {
  program
    .command(name)
    .description(description)
    .usage('[--idl FILE] [--inputs DIR] [--output DIR]')
    .argument('[args...]')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (args: string[]) => {
      const { runGenerator } = await import('./commands/generator.ts');
      done(await runGenerator(name, args));
    });
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
