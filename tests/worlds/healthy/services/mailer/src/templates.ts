import { readFile } from 'node:fs/promises';
import { UnrecoverableError } from 'bullmq';
import Handlebars, { type TemplateDelegate } from 'handlebars';

const compiled = new Map<string, TemplateDelegate>();

async function load(name: string): Promise<TemplateDelegate> {
  let template = compiled.get(name);
  if (!template) {
    const source = await readFile(new URL(`../templates/${name}.hbs`, import.meta.url), 'utf8');
    template = Handlebars.compile(source, { strict: true });
    compiled.set(name, template);
  }
  return template;
}

/** The mail's HTML. A template that is missing or does not fit its parameters will not fit the next time either. */
export async function render(name: string, params: object): Promise<string> {
  try {
    const template = await load(name);
    return template(params);
  } catch (error) {
    throw new UnrecoverableError(`template ${name}: ${(error as Error).message}`);
  }
}
