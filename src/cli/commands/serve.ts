import { once } from 'node:events';
import type { Argv } from 'yargs';
import type { Override } from '../../config/overrides.ts';
import { failureOf } from '../failure.ts';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, note, print } from '../terminal.ts';

/** Adds `serve`. */
export function addServe(program: Argv): Argv {
  return program.command(
    'serve',
    'Put the watermark in front of the model',
    (command) =>
      command
        .options({ config: flags.config, json: flags.json, host: flags.host, port: flags.port })
        .example('$0 serve', 'on serve.host and serve.port')
        .example('$0 serve --host 0.0.0.0 --port 80 --json', 'elsewhere; one JSON line when ready')
        .epilogue('SIGINT or SIGTERM lets requests under way finish and ends with exit code 0.'),
    async ({ config, json, host, port }) => {
      const signal = interruptSignal();
      const { startService } = await import('../../operations/serve.ts');
      const reporter = createProgress(process.stderr);
      const service = await startService({
        configPath: config,
        flags: [...override('host', host), ...override('port', port)],
        signal,
        progress: reporter.progress,
        onNotice: note,
        onFailure: (error) => note(failureOf(error, false).text),
      }).finally(() => reporter.stop());
      const { address, model, tenants } = service;
      const { name, labels } = model;
      await print(
        json
          ? JSON.stringify({ address, model: name, labels: labels.length, tenants })
          : `listening on ${address}: model ${name}, ${labels.length} labels, ${tenants.length} tenants`,
      );
      if (!signal.aborted) await once(signal, 'abort');
      await service.stop();
      note('stopped');
    },
  );
}

function override(field: 'host' | 'port', value: string | number | undefined): Override[] {
  return value === undefined ? [] : [{ path: ['serve', field], value, from: `--${field}` }];
}
