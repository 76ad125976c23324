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
        .epilogue(
          'SIGINT or SIGTERM lets requests under way finish and ends with exit code 0. When touchmark.yaml, ' +
            'the tenants file or the keys change, or on SIGHUP, they are read again and no request is dropped.',
        ),
    async ({ config, json, host, port }) => {
      const signal = interruptSignal();
      const [{ startService }, { watchFiles }] = await Promise.all([
        import('../../operations/serve.ts'),
        import('../../store/watch-files.ts'),
      ]);
      const reporter = createProgress(process.stderr);
      const service = await startService({
        configPath: config,
        flags: [...override('host', host), ...override('port', port)],
        signal,
        progress: reporter.progress,
        onNotice: note,
        onFailure: (error) => note(failureOf(error, false).text),
      }).finally(() => reporter.stop());
      const { address, admin, model, labels, tenants } = service;
      await print(
        json
          ? JSON.stringify({ address, ...(admin && { admin }), model, labels, tenants })
          : [
              `listening on ${address}: model ${model}${labels === undefined ? '' : `, ${labels} labels`}, ${tenants} tenants`,
              ...(admin === undefined ? [] : [`metrics at ${admin}/metrics`]),
            ].join('\n'),
      );
      const reload = () =>
        service.reload().then(
          (read) => note(`configuration and keys were read again: ${read.tenants} tenants`),
          (error) => note(`kept the earlier configuration: ${failureOf(error, false).text}`),
        );
      const unwatch = watchFiles(service.files, reload);
      process.on('SIGHUP', reload);
      if (!signal.aborted) await once(signal, 'abort');
      unwatch();
      process.off('SIGHUP', reload);
      await service.stop();
      note('stopped');
    },
  );
}

function override(field: 'host' | 'port', value: string | number | undefined): Override[] {
  return value === undefined ? [] : [{ path: ['serve', field], value, from: `--${field}` }];
}
